"""What TensorFlow.js has an op for and computes otherwise, without a word: refused by name.

Each of these was read in the executors of @tensorflow/tfjs-converter, and is held against it by
tests/engine/tfjs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ckpt_action.engine.prepare.training_norm import BATCH_NORMS, is_training
from ckpt_action.engine.tfjs.unfuse import unfused

_POOLS = ("AvgPool", "MaxPool", "MaxPoolWithArgmax", "AvgPool3D", "MaxPool3D")


def ignored(graph: Any) -> Iterator[tuple[str, str]]:
    """(what it does not do, node) for every node of `graph` that asks for it."""
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            if node.op == "CropAndResize":
                yield "crops other pixels at the edges of images", node.name
            if node.op == "FakeQuantWithMinMaxVars":
                yield "leaves out fake quantisation", node.name
            if node.op in (*BATCH_NORMS, *_POOLS) and _channels_first(node):
                yield "takes channels for the last axis", node.name
            if node.op in BATCH_NORMS and is_training(node):
                yield "does not normalise by the statistics of the batch", node.name
            if node.op == "Conv2DBackpropInput" and _is_dilated(node):
                yield "leaves out the dilation of a transposed convolution", node.name
    yield from _grouped(graph)


def _channels_first(node: Any) -> bool:
    return "data_format" in node.attr and node.attr["data_format"].s.startswith(b"NC")


def _is_dilated(node: Any) -> bool:
    return "dilations" in node.attr and any(d != 1 for d in node.attr["dilations"].list.i)


def _grouped(graph: Any) -> Iterator[tuple[str, str]]:
    """Convolutions of fewer input channels than there are: TensorFlow.js stops on them."""
    if not any("Conv2D" in node.op for node in graph.node):
        return  # nothing to import a graph with all its weights for
    with tf.Graph().as_default() as live:
        tf.graph_util.import_graph_def(unfused(graph), name="")
    for operation in live.get_operations():
        if operation.type == "Conv2D":
            there, taken = (tensor.shape for tensor in operation.inputs)
            sizes = (there[-1], taken[-2]) if there.rank and taken.rank else (None, None)
            if None not in sizes and sizes[0] != sizes[1]:
                yield "has no grouped convolution", operation.name.removesuffix("/kernel")

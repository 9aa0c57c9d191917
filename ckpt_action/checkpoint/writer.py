"""Which library wrote an object graph, by the edges that only it leaves."""

from __future__ import annotations

import re

from ckpt_action.checkpoint.records import ObjectGraph, ObjectNode, Writer
from ckpt_action.checkpoint.roles import VALUE

_KERAS_2_LAYER = re.compile(r"layer(_with_weights)?-\d+")
_KERAS_2 = {"keras_api", "train_tf_function", "train_function", "_index_dict", "state_spec"}
_KERAS_3 = {
    "_operations", "_functional", "_kernel", "_embeddings", "_trainable_variables_indices",
    "_compiled_trainable_state", "_seed_generators",
}  # fmt: skip
_BATCH_NORM = {"moving_mean", "moving_variance"}


def writer_of(graph: ObjectGraph) -> Writer:
    """Keras 3 and Keras 2 by what their layers track; TensorFlow where there is no layer.

    Subclassed Keras 2 models leave no edge of their own. Their layers do: Dense and Embedding
    keep `kernel` and `embeddings` where Keras 3 keeps `_kernel` and `_embeddings`.
    """
    edges = {edge for node in graph.nodes for edge in node.children}
    attributes = {name for node in graph.nodes for name in node.attributes}
    if "OBJECT_CONFIG_JSON" in attributes or any(_KERAS_2_LAYER.fullmatch(edge) for edge in edges):
        return Writer.KERAS_2
    if edges & _KERAS_3:
        return Writer.KERAS_3
    if edges & _KERAS_2 or {"iter", "decay"} <= edges:
        return Writer.KERAS_2
    norms = [node for node in graph.nodes if set(node.children) >= _BATCH_NORM]
    if norms:
        return Writer.KERAS_2 if any("axis" in node.children for node in norms) else Writer.KERAS_3
    if any(_is_keras_2_layer(node, graph) for node in graph.nodes):
        return Writer.KERAS_2
    return Writer.TENSORFLOW


def _is_keras_2_layer(node: ObjectNode, graph: ObjectGraph) -> bool:
    """A layer's weight, whose name has the layer's name before it: `dense/kernel`."""
    for edge in ("kernel", "embeddings"):
        child = node.children.get(edge)
        if child is not None and VALUE in graph.nodes[child].attributes:
            return graph.nodes[child].attributes[VALUE][0].endswith(f"/{edge}")
    return False

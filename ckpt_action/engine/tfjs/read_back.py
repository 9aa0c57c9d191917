"""A graph model in TensorFlow again: what the files say, without TensorFlow.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped]
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.engine.prepare.editor import constant_node
from ckpt_action.engine.prove.unreadable import finding
from ckpt_action.engine.tfjs.model_file import ModelFile, Weight
from ckpt_action.engine.tfjs.quantise import restored
from ckpt_action.engine.tfjs.unfuse import unfused


def graph_def(model: ModelFile) -> Any:
    """The topology with the weights in it, in TensorFlow's own ops."""
    try:
        graph = json_format.ParseDict(model.topology, graph_pb2.GraphDef())
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            if node.op == "Const":
                dtype = tf.as_dtype(node.attr["dtype"].type).name
                node.CopyFrom(constant_node(node.name, _value(model.weights[node.name], dtype)))
    return unfused(graph)


class ReadBack:
    """Runs the files in TensorFlow."""

    note = (
        "The files were read back into TensorFlow; TensorFlow.js did not run them, for "
        "CKPT_ACTION_TFJS names no folder with its packages"
    )

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        with finding("read back into a graph", model.path):
            definition = graph_def(model)
            self._graph = tf.Graph()
            with self._graph.as_default():
                tf.graph_util.import_graph_def(definition, name="")

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        signature = self._model.signature
        feeds = {str(t.tensor): inputs[t.name] for t in signature.inputs}
        fetches = {t.name: str(t.tensor) for t in signature.outputs}
        with (
            finding("run", self._model.path),
            tf.compat.v1.Session(graph=self._graph) as session,
        ):
            values = session.run(fetches, feeds)
        return {t.name: np.asarray(values[t.name], numpy_dtype(t.dtype)) for t in signature.outputs}


def _value(weight: Weight, dtype: str) -> Array:
    if weight.quantization is not None:
        return restored(weight.value, weight.quantization)
    return weight.value.astype(numpy_dtype(dtype))

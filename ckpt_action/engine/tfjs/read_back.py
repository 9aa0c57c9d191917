"""A graph model in TensorFlow again: what the files say, without TensorFlow.js."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped]
from tensorflow.core.framework import graph_pb2, node_def_pb2

from ckpt_action.engine.arrays import Array, numpy_dtype
from ckpt_action.engine.prepare.editor import constant_node
from ckpt_action.engine.tfjs.model_file import ModelFile
from ckpt_action.engine.tfjs.node import PACKAGES, VARIABLE
from ckpt_action.engine.tfjs.quantise import restored
from ckpt_action.engine.tfjs.unfuse import unfused
from ckpt_action.engine.unreadable import finding

_LARGE = 1 << 16
"""Bytes."""


def graph_def(model: ModelFile, fed: dict[str, Array]) -> Any:
    """The topology with the weights in it, in TensorFlow's own ops, and with what fills tables.

    Large weights of the main graph are put into `fed`, by the tensor that they are to be fed to.
    """
    try:
        graph = json_format.ParseDict(model.topology, graph_pb2.GraphDef())
        filling = json_format.ParseDict(model.filling, graph_pb2.GraphDef())
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error
    there = {node.name for node in graph.node}
    graph.node.extend(node for node in filling.node if node.name not in there)
    for node in graph.node:
        if node.op == "Const":
            value = _value(node, model)
            large = value.nbytes >= _LARGE and not value.dtype.hasobject
            if large:
                fed[f"{node.name}:0"] = value
            node.CopyFrom((_placeholder if large else constant_node)(node.name, value))
    for function in graph.library.function:
        for node in function.node_def:
            if node.op == "Const":
                node.CopyFrom(constant_node(node.name, _value(node, model)))
    return unfused(graph)


def _placeholder(name: str, value: Array) -> Any:
    node = node_def_pb2.NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    return node


class ReadBack:
    """Runs the files in TensorFlow, which would take several times the size of weights that it
    imports: large ones are fed."""

    note = (
        f"TensorFlow.js did not run the files, for {VARIABLE} names no folder with its packages. "
        "To have it run them, in Node.js: "
        f"npm install --prefix tfjs-run {' '.join(f'@tensorflow/{name}' for name in PACKAGES)}, "
        f"then {VARIABLE}=tfjs-run ckpt-action export"
    )

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        self._weights: dict[str, Array] = {}
        with finding("read back into a graph", model.path):
            definition = graph_def(model, self._weights)
            self._graph = tf.Graph()
            with self._graph.as_default():
                tf.graph_util.import_graph_def(definition, name="")
            operations = self._graph.get_operations()
            self._fill = [o for o in operations if o.type == "LookupTableImportV2"]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        signature = self._model.signature
        feeds = {str(t.tensor): inputs[t.name] for t in signature.inputs} | self._weights
        fetches = {t.name: str(t.tensor) for t in signature.outputs}
        with (
            finding("run", self._model.path),
            tf.compat.v1.Session(graph=self._graph) as session,
        ):
            session.run(self._fill, self._weights)
            values = session.run(fetches, feeds)
        return {t.name: np.asarray(values[t.name], numpy_dtype(t.dtype)) for t in signature.outputs}


def _value(constant: Any, model: ModelFile) -> Array:
    weight = model.weights[constant.name]
    if weight.quantization is not None:
        return restored(weight.value, weight.quantization)
    dtype = tf.as_dtype(constant.attr["dtype"].type).name
    return weight.value.astype(numpy_dtype(dtype), copy=False)

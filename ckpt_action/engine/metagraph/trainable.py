"""Which variables of a TF1 graph were trained, by its collection `trainable_variables`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorflow.core.framework import variable_pb2

from ckpt_action.engine.metagraph.prune import VARIABLES


def float_variables(meta: Any) -> tuple[tuple[str, tuple[int, ...], bool], ...]:
    """(name, shape, whether it is trained) of each variable of floating point that is no scalar;
    none where the graph has no such collection."""
    collection = meta.collection_def.get("trainable_variables")
    if collection is None:
        return ()
    trained = {_name(data) for data in collection.bytes_list.value}
    return tuple(
        (node.name, tuple(d.size for d in node.attr["shape"].shape.dim), node.name in trained)
        for node in meta.graph_def.node
        if node.op in VARIABLES and node.attr["shape"].shape.dim
        if tf.as_dtype(node.attr["dtype"].type).base_dtype.is_floating
    )


def _name(data: bytes) -> str:
    definition = variable_pb2.VariableDef()
    try:
        definition.ParseFromString(data)
    except DecodeError:  # a collection of that name may hold anything
        return ""
    return str(definition.variable_name.removesuffix(":0"))

"""A GraphDef that grows node by node (tensorflow/core/framework/{node_def,attr_value}.proto)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, node_def_pb2

_Value = attr_value_pb2.AttrValue


class GraphWriter:
    def __init__(self, definition: Any) -> None:
        self.definition = definition
        self._used: set[str] = set()

    def add(self, op: str, name: str, inputs: Iterable[str] = (), **attributes: Any) -> str:
        """Add a node; the attributes come from the functions below. The name that it got: legal
        (tensorflow/core/framework/node_def_util.cc), and no other node's."""
        legal = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
        legal = legal if re.match(r"[A-Za-z0-9.]", legal) else f".{legal}"
        unique, number = legal, 0
        while unique in self._used:
            number += 1
            unique = f"{legal}_{number}"
        self._used.add(unique)
        node = node_def_pb2.NodeDef(op=op, name=unique, input=inputs, attr=attributes)
        self.definition.node.append(node)
        return unique

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        tensor = tf.make_tensor_proto(value, dtype=dtype)
        attributes = {"dtype": _Value(type=tensor.dtype), "value": _Value(tensor=tensor)}
        return self.add("Const", name, **attributes)


def type_of(tensor: Any) -> Any:
    """The dtype of a tensor or variable."""
    return _Value(type=tensor.dtype.as_datatype_enum)


def types_of(tensors: Iterable[Any]) -> Any:
    return _Value(list=_Value.ListValue(type=[t.dtype.as_datatype_enum for t in tensors]))


def shape_of(tensor: Any) -> Any:
    return _Value(shape=tensor.shape.as_proto())


def shapes_of(tensors: Iterable[Any]) -> Any:
    return _Value(list=_Value.ListValue(shape=[t.shape.as_proto() for t in tensors]))


def text(value: str | bytes) -> Any:
    return _Value(s=tf.compat.as_bytes(value))


def function(name: str) -> Any:
    return _Value(func=attr_value_pb2.NameAttrList(name=name))

"""One body of a graph (the main graph, or a function) while nodes of it are replaced."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, node_def_pb2

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.internals import op_definition

Attr = Any
"""`attr_value_pb2.AttrValue`."""


def attr(value: bool | float | bytes | tf.DType) -> Attr:
    """A plain value as an attribute of a node."""
    if isinstance(value, tf.DType):
        return attr_value_pb2.AttrValue(type=value.as_datatype_enum)
    if isinstance(value, bool):
        return attr_value_pb2.AttrValue(b=value)
    if isinstance(value, int):
        return attr_value_pb2.AttrValue(i=value)
    if isinstance(value, float):
        return attr_value_pb2.AttrValue(f=value)
    return attr_value_pb2.AttrValue(s=value)


class Editor:
    """References are written as the body writes them: `node:1`, in a function `node:y:0`."""

    def __init__(
        self,
        nodes: Iterable[Any],
        keep: Iterable[str],
        results: MutableMapping[str, str] | None = None,
    ) -> None:
        """`results`: what a function returns, by reference; None in the main graph."""
        self.nodes = {node.name: node for node in nodes}
        self.keep = frozenset(keep)
        """Nodes that are fed or fetched: name and meaning stay what they are."""
        self._results = results
        self._readers: dict[str, dict[tuple[str, int], None]] = {}
        for node in self.nodes.values():
            self._listen(node)

    def producer(self, reference: str) -> Any | None:
        """The node that `reference` reads; None for an argument of a function."""
        return self.nodes.get(producer(reference))

    def constant(self, reference: str) -> Array | None:
        """The value that `reference` reads where that is a constant."""
        node = self.producer(reference)
        return None if node is None or node.op != "Const" else value_of(node)

    def readers(self, node: Any) -> list[tuple[Any, int]]:
        """(node, input index) of all that read `node` or wait for it."""
        return [(self.nodes[name], i) for name, i in self._readers.get(node.name, ())]

    def sole_reader(self, node: Any) -> Any | None:
        """The one node that reads `node`, once, where nothing else needs its value."""
        readers = self.readers(node)
        if len(readers) != 1 or node.name in self.keep:
            return None
        reader, index = readers[0]
        return None if reader.input[index].startswith("^") else reader

    def output(self, node: Any) -> str:
        """The reference to the first output of `node`."""
        if self._results is None:
            return str(node.name)
        definition = op_definition(node.op)
        assert definition is not None, node.op
        return f"{node.name}:{definition.output_arg[0].name}:0"

    def reads_first_outputs(self, node: Any) -> bool:
        """Whether nobody reads any but the first output of `node`."""
        first = {self.output(node), f"{node.name}:0", f"^{node.name}"}
        return all(reader.input[index] in first for reader, index in self.readers(node))

    def add(self, like: Any, suffix: str, op: str, inputs: Iterable[str], **attrs: Attr) -> str:
        """A new node named after `like`; returns the reference to its first output."""
        node = node_def_pb2.NodeDef(name=self._free(f"{like.name}/{suffix}"), op=op, input=inputs)
        for key, value in attrs.items():
            node.attr[key].CopyFrom(value)
        self.nodes[node.name] = node
        self._listen(node)
        return self.output(node)

    def add_constant(self, like: Any, suffix: str, array: Array) -> str:
        node = constant_node("", array)
        return self.add(like, suffix, "Const", (), **dict(node.attr))

    def become(self, node: Any, op: str, inputs: Iterable[str], **attrs: Attr) -> None:
        """`node` keeps its name and computes something else; what it waits for stays."""
        waits = [reference for reference in node.input if reference.startswith("^")]
        before = self.output(node)
        self._forget(node)
        node.op = op
        node.input[:] = [*inputs, *waits]
        node.attr.clear()
        for key, value in attrs.items():
            node.attr[key].CopyFrom(value)
        self._listen(node)
        self._rename(node, before, self.output(node))

    def rewire(self, node: Any, index: int, reference: str) -> None:
        self._forget(node)
        node.input[index] = reference
        self._listen(node)

    def redirect(self, node: Any, reference: str) -> None:
        """All that read the first output of `node` read `reference` instead."""
        for reader, index in self.readers(node):
            if not reader.input[index].startswith("^"):
                self.rewire(reader, index, reference)

    def _rename(self, node: Any, before: str, after: str) -> None:
        """In functions, the name of an output is part of what its readers write."""
        for reader, index in self.readers(node):
            if reader.input[index] == before:
                reader.input[index] = after
        results = self._results if self._results is not None else {}
        for key in [key for key, reference in results.items() if reference == before]:
            results[key] = after

    def _listen(self, node: Any) -> None:
        for index, reference in enumerate(node.input):
            self._readers.setdefault(producer(reference), {})[node.name, index] = None

    def _forget(self, node: Any) -> None:
        for index, reference in enumerate(node.input):
            self._readers[producer(reference)].pop((node.name, index), None)

    def _free(self, wanted: str) -> str:
        name, count = wanted, 0
        while name in self.nodes:
            count += 1
            name = f"{wanted}_{count}"
        return name


def value_of(node: Any) -> Array:
    """The value of a Const node."""
    value: Array = tf.make_ndarray(node.attr["value"].tensor)
    return value


def constant_node(name: str, array: Array) -> Any:
    """A Const; readers other than TensorFlow look for scalars in typed fields and for all else in
    `tensor_content`."""
    node = node_def_pb2.NodeDef(name=name, op="Const")
    dtype = tf.string if array.dtype.hasobject else tf.as_dtype(array.dtype)
    node.attr["dtype"].type = dtype.as_datatype_enum
    tensor = node.attr["value"].tensor
    if array.ndim == 0 or dtype == tf.string:
        tensor.CopyFrom(tf.make_tensor_proto(array, dtype=dtype, shape=array.shape))
        return node
    tensor.dtype = dtype.as_datatype_enum
    tensor.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    tensor.tensor_content = np.ascontiguousarray(array).tobytes()
    return node

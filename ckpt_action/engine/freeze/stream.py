"""A GraphDef file written piece by piece: weights go from the variables' buffers to the file.

A weight's Const is framed by hand, for a protocol buffer would copy its payload several times:
GraphDef.node (1) > NodeDef.attr (5) > entry.value (2) > AttrValue.tensor (8) >
TensorProto.tensor_content (4); tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2

_GATHER = 1 << 20
"""Pieces below this many bytes are joined before they are written."""


def write_graph(path: Path, graph: Any, values: Mapping[str, Any]) -> None:
    """Write `graph`; the Const nodes named in `values` get those tensors as their payload."""
    with path.open("xb", buffering=_GATHER) as file:
        for node in graph.node:
            for piece in _node(node, values.get(node.name)):
                file.write(piece)
        rest = graph_pb2.GraphDef(library=graph.library, versions=graph.versions)
        file.write(rest.SerializeToString(deterministic=True))


def _node(node: Any, value: Any | None) -> Iterator[Any]:
    if value is None:
        yield _field(1, node)
        return
    tensor = tf.convert_to_tensor(value)  # of a variable on the CPU: its own buffer, not a copy
    if tensor.dtype == tf.string or tensor.shape.rank == 0:
        # Scalars as typed fields: some readers look nowhere else.
        whole = node_def_pb2.NodeDef()
        whole.CopyFrom(node)
        whole.attr["value"].tensor.CopyFrom(
            tf.make_tensor_proto(tensor.numpy(), dtype=tensor.dtype, shape=tensor.shape)
        )
        yield _field(1, whole)
    else:
        payload = np.ascontiguousarray(np.asarray(tensor)).reshape(-1).view(np.uint8)
        yield _frame(node, payload.nbytes)
        yield payload.data


def _frame(node: Any, payload: int) -> bytes:
    """All bytes of a GraphDef.node entry that come before `payload` bytes of content."""
    head = node_def_pb2.NodeDef()
    head.CopyFrom(node)
    tensor: bytes = head.attr["value"].tensor.SerializeToString(deterministic=True)
    del head.attr["value"]
    start = tensor + _prefix(4, payload)
    inner = len(start) + payload
    start = _prefix(8, inner) + start
    inner = len(start) + payload
    start = b"\x0a\x05value" + _prefix(2, inner) + start
    inner = len(start) + payload
    node_start: bytes = head.SerializeToString(deterministic=True)
    start = node_start + _prefix(5, inner) + start
    return _prefix(1, len(start) + payload) + start


def _field(number: int, message: Any) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return _prefix(number, len(data)) + data


def _prefix(number: int, length: int) -> bytes:
    """Tag and length of a length-delimited field."""
    return bytes([number << 3 | 2]) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

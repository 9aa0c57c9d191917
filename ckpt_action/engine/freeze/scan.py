"""A GraphDef file read without parsing its weights: where each node and each payload lies.

The counterpart of `stream`; the field numbers are named there.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2

from ckpt_action.checkpoint.wire import MalformedError, varint
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.unreadable import finding

_LARGE = 1 << 12
"""Nodes below this many bytes are parsed whole."""

_ALIGNMENT = 64
"""Of TensorFlow's CPU buffers; arrays that have it are fed to a graph without a copy."""

_PIECE = 1 << 20
"""Bytes of a payload that are hashed at a time."""

_NODE, _ATTR, _TENSOR, _CONTENT = 1, 5, 8, 4

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One node of the file."""

    node: Any
    """NodeDef; of a large Const, without its payload."""
    payload: tuple[int, int] | None
    """First byte of the payload in the file, and the one behind its last; None: in `node`."""


class GraphFile:
    """A `.pb` file: its structure is read through a map, its payloads one at a time.

    Raises CkptActionError (VERIFY) where the file is no GraphDef.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with finding("read", path), path.open("rb") as file:
            self._data: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._parts = list(_fields(self._data, 0, len(self._data)))

    def __len__(self) -> int:
        return len(self._data)

    def nodes(self) -> Iterator[Stored]:
        for part in self._parts:
            if part.number == _NODE:
                with finding("read", self.path):
                    stored = self._node(part)
                yield stored

    def rest(self) -> bytes:
        """The GraphDef without its nodes: functions and versions."""
        return b"".join(self._data[p.start : p.end] for p in self._parts if p.number != _NODE)

    def value(self, stored: Stored) -> Array:
        """The value of a Const; a large one is read into memory that TensorFlow takes as it is."""
        tensor = stored.node.attr["value"].tensor
        if stored.payload is None:
            small: Array = tf.make_ndarray(tensor)
            return small
        begin, end = stored.payload
        room = np.empty(end - begin + _ALIGNMENT, np.uint8)
        start = -room.ctypes.data % _ALIGNMENT
        content = room[start : start + end - begin]
        with finding("read", self.path), self.path.open("rb") as file:
            file.seek(begin)
            if file.readinto(content.data) != end - begin:
                raise MalformedError("it became shorter while it was read")
        dtype = tf.as_dtype(tensor.dtype).as_numpy_dtype
        value: Array = content.view(dtype)
        return value.reshape([dim.size for dim in tensor.tensor_shape.dim])

    def digest(self, stored: Stored) -> str:
        """As `arrays.digest` of the value; a large one is hashed as it is read."""
        if stored.payload is None:
            return digest(self.value(stored))
        begin, end = stored.payload
        found, room = hashlib.sha256(), memoryview(bytearray(min(end - begin, _PIECE)))
        with finding("read", self.path), self.path.open("rb", buffering=0) as file:
            file.seek(begin)
            while begin < end:
                count = file.readinto(room[: end - begin])
                if not count:
                    raise MalformedError("it ends inside a payload")
                found.update(room[:count])
                begin += count
        return found.hexdigest()

    def _node(self, part: _Field) -> Stored:
        node = node_def_pb2.NodeDef()
        if part.end - part.value < _LARGE:
            node.ParseFromString(self._data[part.value : part.end])
            return Stored(node=node, payload=None)
        payload = None
        kept = []
        for field in _fields(self._data, part.value, part.end):
            tensor = self._constant(field) if field.number == _ATTR else None
            if tensor is None:
                kept.append(self._data[field.start : field.end])
                continue
            for inner in _fields(self._data, tensor.value, tensor.end):
                if inner.number == _CONTENT:
                    payload = inner.value, inner.end
                else:
                    header = self._data[inner.start : inner.end]
                    node.attr["value"].tensor.MergeFromString(header)
        node.MergeFromString(b"".join(kept))
        return Stored(node=node, payload=payload)

    def _constant(self, attr: _Field) -> _Field | None:
        """The tensor in an entry of the map of attributes, where its key is `value`."""
        key, value = _fields(self._data, attr.value, attr.end)
        if self._data[key.value : key.end] != b"value":
            return None
        tensors = _fields(self._data, value.value, value.end)
        return next((field for field in tensors if field.number == _TENSOR), None)


@dataclass(frozen=True, kw_only=True)
class _Field:
    number: int
    start: int
    """Of the tag."""
    value: int
    """Of the content, behind tag and length."""
    end: int


def _fields(data: Any, start: int, end: int) -> Iterator[_Field]:
    """The fields of a message in the file."""
    at = start
    while at < end:
        tag, value = varint(data, at)
        kind = tag & 7
        if kind == 2:
            size, value = varint(data, value)
            stop = value + size
        elif kind == 0:
            _, stop = varint(data, value)
        else:
            stop = value + {1: 8, 5: 4}.get(kind, end)
        if stop > end or kind not in (0, 1, 2, 5):
            raise MalformedError(f"a field at byte {at} runs past the end of its message")
        yield _Field(number=tag >> 3, start=at, value=value, end=stop)
        at = stop

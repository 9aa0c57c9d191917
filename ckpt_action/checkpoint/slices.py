"""Slices of partitioned variables: `TensorSliceProto`, and the keys under which parts are stored.

The keys are in the order-preserving code of tensorflow/core/lib/strings/ordered_code.cc, put
together as in util/saved_tensor_slice_util.cc (`EncodeTensorNameSlice`).
"""

from __future__ import annotations

from ckpt_action.checkpoint.wire import MalformedError, as_bytes, as_int64, fields

Extents = tuple[tuple[int, int], ...]
"""(start, length) per dimension; a length of -1 is the whole dimension."""

_SIGNED_HEADERS = (0x0000, 0x8000, 0xC000, 0xE000, 0xF000, 0xF800, 0xFC00, 0xFE00, 0xFF00, 0xFF80, 0xFFC0)  # fmt: skip  # noqa: E501


def parse_extents(message: bytes) -> Extents:
    """`TensorSliceProto`."""
    extents = []
    for number, value in fields(message):
        if number == 1:
            start, length = 0, -1
            for part, content in fields(as_bytes(value)):
                if part == 1:
                    start = as_int64(content)
                elif part == 2:
                    length = as_int64(content)
            extents.append((start, length))
    return tuple(extents)


def where_in(extents: Extents, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The part of an array of `shape` that a slice covers."""
    if len(extents) != len(shape):
        raise MalformedError("a slice has another number of dimensions than its variable")
    where = []
    for (start, length), size in zip(extents, shape, strict=True):
        begin, end = (0, size) if length == -1 else (start, start + length)
        if not 0 <= begin <= end <= size:
            raise MalformedError("a slice lies outside its variable")
        where.append(slice(begin, end))
    return tuple(where)


def slice_key(name: str, extents: Extents) -> bytes:
    """The key of one part in the index."""
    escaped = name.encode().replace(b"\xff", b"\xff\x00").replace(b"\x00", b"\x00\xff")
    key = _unsigned(0) + escaped + b"\x00\x01" + _unsigned(len(extents))
    for start, length in extents:
        key += _signed(start) + _signed(length)
    return key


def _unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    """Seven bits a byte: the count of leading ones in the first two bytes gives the length."""
    magnitude = ~value if value < 0 else value
    size = magnitude.bit_length() // 7 + 1
    code = bytearray(value.to_bytes(10, "big", signed=True)[-size:])
    header = _SIGNED_HEADERS[size].to_bytes(2, "big")
    for at in range(min(size, 2)):
        code[at] ^= header[at]
    return bytes(code)

"""Protocol buffer wire format, read without generated code (protobuf.dev, "Encoding")."""

from __future__ import annotations

from collections.abc import Iterator


class MalformedError(ValueError):
    """Bytes that cannot be what they claim; whoever knows the file turns it into a problem."""


Value = int | bytes
"""An integer (varint, fixed32, fixed64: unsigned) or the bytes of a length-delimited field."""

_MAX_VARINT = 1 << 64


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The base-128 integer at `at` and the position behind it."""
    value = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise MalformedError("an integer has more than 64 bits")
    except IndexError:
        raise MalformedError("the data ends inside an integer") from None
    if value >= _MAX_VARINT:
        raise MalformedError("an integer has more than 64 bits")
    return value, at


def take(data: bytes, at: int, size: int) -> bytes:
    """`size` bytes from `at`; a length that runs past the end is malformed, never short."""
    if size > len(data) - at:
        raise MalformedError(f"{size} bytes are announced where {len(data) - at} are left")
    return data[at : at + size]


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """(field number, value) in the order of the file."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise MalformedError("a field has the number 0")
        value: Value
        if kind == 0:
            value, at = varint(message, at)
        elif kind == 2:
            size, at = varint(message, at)
            value = take(message, at, size)
            at += size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value = int.from_bytes(take(message, at, size), "little")
            at += size
        else:
            raise MalformedError(f"wire type {kind} is not in use")
        yield number, value


def as_int(value: Value) -> int:
    if not isinstance(value, int):
        raise MalformedError("bytes stand where an integer belongs")
    return value


def as_int64(value: Value) -> int:
    """Two's complement, as `int64` fields are written."""
    number = as_int(value)
    return number - _MAX_VARINT if number >> 63 else number


def as_bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("an integer stands where bytes belong")
    return value


def as_text(value: Value) -> str:
    try:
        return as_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("a name is not UTF-8 text") from None

"""The index of a tensor bundle: `BundleHeaderProto` and one `BundleEntryProto` per value."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ckpt_action.checkpoint.dtypes import NAMES, SIZES
from ckpt_action.checkpoint.slices import Extents, parse_extents, slice_key, where_in
from ckpt_action.checkpoint.table import table_entries
from ckpt_action.checkpoint.wire import (
    MalformedError,
    Value,
    as_bytes,
    as_int,
    as_int64,
    as_text,
    fields,
)

_MAX_SHARDS = 100_000  # file names have five digits


@dataclass(frozen=True, kw_only=True)
class BundleEntry:
    """One value of the bundle, and where its bytes lie."""

    key: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    """What is stored; of a partitioned variable, the sum over its parts."""
    shard: int
    offset: int
    crc32c: int
    """Masked, as it is stored."""
    slices: tuple[Part, ...] = ()
    """The parts of a partitioned variable."""

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One slice of a partitioned variable."""

    where: tuple[slice, ...]
    entry: BundleEntry


@dataclass(frozen=True, kw_only=True)
class BundleIndex:
    shards: int
    entries: Mapping[str, BundleEntry]

    def stored(self) -> Iterator[BundleEntry]:
        """Every entry that has bytes of its own."""
        for entry in self.entries.values():
            if entry.slices:
                yield from (part.entry for part in entry.slices)
            else:
                yield entry


def parse_index(data: bytes | mmap.mmap) -> BundleIndex:
    """The whole `.index` file; raises MalformedError."""
    shards = 0
    whole: dict[str, tuple[BundleEntry, list[Extents]]] = {}
    parts: dict[bytes, BundleEntry] = {}
    for key, value in table_entries(data):
        if key == b"":
            shards = _shard_count(value)
        elif shards == 0:
            raise MalformedError("the table has no header of a checkpoint")
        elif key.startswith(b"\0"):  # no name starts so; a slice's key does
            parts[key] = _entry("", value, shards)[0]
        else:
            name = as_text(key)
            whole[name] = _entry(name, value, shards)
    if shards == 0:
        raise MalformedError("the table has no header of a checkpoint")
    entries = {
        name: _assembled(entry, extents, parts) if extents else entry
        for name, (entry, extents) in whole.items()
    }
    return BundleIndex(shards=shards, entries=entries)


def _shard_count(header: bytes) -> int:
    shards = 0
    for number, value in fields(header):
        if number == 1:
            shards = as_int(value)
        elif number == 2 and as_int(value) != 0:
            raise MalformedError("it was written on a big-endian machine, which is not supported")
    if not 0 < shards < _MAX_SHARDS:
        raise MalformedError(f"its header announces {shards} data files")
    return shards


def _entry(key: str, message: bytes, shards: int) -> tuple[BundleEntry, list[Extents]]:
    numbers = dict.fromkeys((1, 3, 4, 5, 6), 0)
    shape: tuple[int, ...] = ()
    slices = []
    for number, value in fields(message):
        if number in numbers:
            numbers[number] = as_int64(value)
        elif number == 2:
            shape = parse_shape(value)
        elif number == 7:
            slices.append(parse_extents(as_bytes(value)))
    dtype = NAMES.get(numbers[1], f"type {numbers[1]}")
    entry = BundleEntry(
        key=key,
        dtype=dtype,
        shape=shape,
        shard=numbers[3],
        offset=numbers[4],
        bytes=numbers[5],
        crc32c=numbers[6],
    )
    if not 0 <= entry.shard < shards or entry.offset < 0 or entry.bytes < 0:
        raise MalformedError(f"the entry of {key!r} points outside the {shards} data files")
    if not slices and entry.bytes != entry.elements * SIZES.get(dtype, 0) and dtype in SIZES:
        raise MalformedError(f"{key!r} has {entry.bytes} bytes, too few or too many for its shape")
    if not slices and dtype == "string" and entry.elements > entry.bytes:
        raise MalformedError(f"{key!r} has {entry.bytes} bytes for {entry.elements} strings")
    return entry, slices


def parse_shape(message: Value) -> tuple[int, ...]:
    """`TensorShapeProto`."""
    sizes = []
    for number, value in fields(as_bytes(message)):
        if number == 2:
            size = next((as_int64(v) for n, v in fields(as_bytes(value)) if n == 1), 0)
            if size < 0:
                raise MalformedError("a stored value has a dimension of unknown size")
            sizes.append(size)
    return tuple(sizes)


def _assembled(
    entry: BundleEntry, extents: list[Extents], parts: Mapping[bytes, BundleEntry]
) -> BundleEntry:
    """The entry of a partitioned variable with its parts, which must tile it."""
    found = []
    for extent in extents:
        part = parts.get(slice_key(entry.key, extent))
        if part is None:
            raise MalformedError(
                f"a part of the partitioned variable {entry.key!r} is not in the index"
            )
        where = where_in(extent, entry.shape)
        if part.dtype != entry.dtype or part.shape != tuple(s.stop - s.start for s in where):
            raise MalformedError(
                f"a part of {entry.key!r} has another type or shape than announced"
            )
        found.append(Part(where=where, entry=replace(part, key=entry.key)))
    if entry.dtype not in SIZES:
        raise MalformedError(f"the partitioned variable {entry.key!r} is of type {entry.dtype}")
    _check_tiling(entry, found)
    return replace(entry, slices=tuple(found), bytes=sum(part.entry.bytes for part in found))


def _check_tiling(entry: BundleEntry, parts: list[Part]) -> None:
    overlap = any(
        all(
            a.start < b.stop and b.start < a.stop
            for a, b in zip(one.where, other.where, strict=True)
        )
        for i, one in enumerate(parts)
        for other in parts[:i]
    )
    if overlap or sum(part.entry.elements for part in parts) != entry.elements:
        raise MalformedError(f"the parts of the partitioned variable {entry.key!r} do not tile it")

"""TF1 checkpoints of the V1 format: tables with every value in them, and what they hold.

Under the empty key lies `SavedTensorSlices` with the names, types and shapes. Source:
tensorflow/core/util/saved_tensor_slice.proto and tensor_slice_writer.cc.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path

from ckpt_action.checkpoint.bundle_index import parse_shape
from ckpt_action.checkpoint.damage import reading
from ckpt_action.checkpoint.dtypes import NAMES, SIZES
from ckpt_action.checkpoint.names import without_part
from ckpt_action.checkpoint.records import Entry
from ckpt_action.checkpoint.table import is_table, table_entries
from ckpt_action.checkpoint.wire import MalformedError, as_bytes, as_int, as_text, fields


def table_files(path: Path) -> tuple[Path, ...]:
    """The files of the checkpoint `path`, missing ones of several too; none where it is no such
    checkpoint.

    Savers wrote one file, or with `sharded=True` one for each device, `x-00000-of-00002`.
    """
    if path.is_file():
        return (path,) if is_table(path) else ()
    parts = path.parent.glob(f"{escape(path.name)}-?????-of-?????")
    tables = [part for part in parts if without_part(part) == path and is_table(part)]
    count = max((int(part.name[-5:]) for part in tables), default=0)
    return tuple(path.with_name(f"{path.name}-{i:05}-of-{count:05}") for i in range(count))


def table_values(files: Iterable[Path]) -> tuple[Entry, ...]:
    """Every value of the checkpoint, by name; raises CHECKPOINT where a file is damaged."""
    found: dict[str, Entry] = {}
    for file in files:
        with reading(file):
            key, header = next(table_entries(file.read_bytes()), (b"", b""))
            if key or not header:
                raise MalformedError("the table has no header of a checkpoint")
            found |= {entry.key: entry for entry in _entries(header)}
    return tuple(found[key] for key in sorted(found))


def _entries(header: bytes) -> Iterator[Entry]:
    for number, meta in fields(header):
        if isinstance(meta, int):
            raise MalformedError("it is the .index file of another checkpoint")
        if number == 1:
            for part, saved in fields(as_bytes(meta)):
                if part == 1:
                    yield _entry(as_bytes(saved))


def _entry(message: bytes) -> Entry:
    """`SavedSliceMeta`."""
    name, dtype, shape = "", "", tuple[int, ...]()
    for number, value in fields(message):
        if number == 1:
            name = as_text(value)
        elif number == 2:
            shape = parse_shape(value)
        elif number == 3:
            dtype = NAMES.get(as_int(value), f"type {as_int(value)}")
    if not name:
        raise MalformedError("a value of the table has no name")
    size = math.prod(shape) * SIZES.get(dtype, 0)
    return Entry(key=name, dtype=dtype, shape=shape, bytes=size, full_name=name)

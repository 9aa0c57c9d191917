"""Where the files of a checkpoint are made of parts: what cuts and flips are interesting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.bundle_index import parse_index
from ckpt_action.checkpoint.table import _TRAILER, _block, _index_handle, is_table
from ckpt_action.checkpoint.wire import varint

Places = list[tuple[int, int]]


def parts(file: Path, data: bytes) -> tuple[Places, set[int]]:
    """Where values lie that no checksum protects, and where parts of the file end."""
    ends = {0, len(data) - 1, *range(0, len(data), max(1, len(data) // 16))}
    if data.startswith(b"\x89HDF"):
        values = _datasets(file)
        return values, ends | {end for place in values for end in place}
    if is_table(file):
        return [], ends | _block_ends(data)
    return [], ends | _entry_ends(file)


def _datasets(file: Path) -> Places:
    import h5py

    values: Places = []

    def visit(_: str, item: Any) -> None:
        offset = item.id.get_offset() if isinstance(item, h5py.Dataset) else None
        if offset is not None:
            values.append((offset, offset + item.nbytes))

    with h5py.File(file) as opened:
        opened.visititems(visit)
    return values


def _block_ends(data: bytes) -> set[int]:
    """The ends of the blocks of a table, with and without what follows each, and its footer."""
    index = _index_handle(data)
    blocks = [index]
    for _, handle in _block(data, *index):
        offset, at = varint(handle, 0)
        blocks.append((offset, varint(handle, at)[0]))
    ends = {offset + size for offset, size in blocks}
    return ends | {end + _TRAILER for end in ends}


def _entry_ends(file: Path) -> set[int]:
    """The ends of the values in one shard of a bundle; none of another file."""
    prefix, _, number = file.name.partition(".data-")
    index = file.with_name(f"{prefix}.index")
    if not number or not index.exists():
        return set()
    shard = int(number[:5])
    stored = parse_index(index.read_bytes()).stored()
    return {e.offset + e.bytes for e in stored if e.shard == shard}

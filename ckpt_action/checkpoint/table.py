"""The sorted string table in which TensorFlow keeps a checkpoint's index (LevelDB's format).

Source: leveldb/doc/table_format.md; tensorflow/core/lib/io (tsl/lib/io) writes the same bytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from ckpt_action.checkpoint.crc32c import crc32c, mask
from ckpt_action.checkpoint.wire import MalformedError, take, varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER = 48
_TRAILER = 5  # one byte of compression, four of CRC


def is_table(file: Path) -> bool:
    """Whether `file` ends as a table does."""
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        if size < _FOOTER:
            return False
        stream.seek(size - len(MAGIC))
        return stream.read() == MAGIC


def table_entries(data: bytes | mmap.mmap) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value in key order; raises MalformedError where a checksum does not fit."""
    previous: bytes | None = None
    for _, handle in _block(data, *_index_handle(data)):
        offset, at = varint(handle, 0)
        size, _ = varint(handle, at)
        for key, value in _block(data, offset, size):
            if previous is not None and key <= previous:
                raise MalformedError(f"the keys of the table are not in order at {key!r}")
            previous = key
            yield key, value


def _index_handle(data: bytes | mmap.mmap) -> tuple[int, int]:
    footer = bytes(data[-_FOOTER:])
    if len(footer) < _FOOTER or not footer.endswith(MAGIC):
        raise MalformedError("it does not end as a checkpoint index does (bad magic number)")
    at = 0
    for _ in range(2):  # the handle of the meta index, which checkpoints leave empty
        _, at = varint(footer, at)
    offset, at = varint(footer, at)
    size, _ = varint(footer, at)
    return offset, size


def _block(data: bytes | mmap.mmap, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The entries of one block: each key is stored as what it does not share with the last."""
    if offset + size + _TRAILER > len(data):
        raise MalformedError(f"a block at byte {offset} runs past the end of the file")
    stored = bytes(data[offset : offset + size + _TRAILER])
    if mask(crc32c(stored[: size + 1])) != int.from_bytes(stored[size + 1 :], "little"):
        raise MalformedError(f"the checksum of the block at byte {offset} does not fit its content")
    if stored[size] != 0:
        raise MalformedError(
            f"the block at byte {offset} is compressed, which checkpoints never are"
        )
    block = stored[:size]
    restarts = int.from_bytes(take(block, max(size - 4, 0), 4), "little")
    end = size - 4 - 4 * restarts
    if end < 0:
        raise MalformedError(f"the block at byte {offset} is shorter than its restart points")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        unshared, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key):
            raise MalformedError(f"a key of the block at byte {offset} shares more than there is")
        key = key[:shared] + take(block, at, unshared)
        at += unshared
        yield key, take(block, at, length)
        at += length

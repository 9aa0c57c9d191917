"""Archives whose bytes follow from the files alone: no times, no owners, one order."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterable
from pathlib import Path

SUFFIX = ".tar.gz"
_TIME = 315532800
"""1980-01-01: the oldest that every unpacker takes without a remark."""
_LEVEL = 1
"""Weights hardly shrink: a higher level costs time and saves next to nothing."""


def pack(folder: Path, paths: Iterable[str], target: Path) -> None:
    """Write the files `paths` (POSIX, relative to `folder`) into the gzipped tar `target`.

    Equal files give equal bytes, with the same zlib.
    """
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_LEVEL, mtime=0) as zipped,
        tarfile.open(mode="w", fileobj=zipped, format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(paths):
            entry = tarfile.TarInfo(path)
            entry.size = (folder / path).stat().st_size
            entry.mode = 0o644
            entry.mtime = _TIME
            with (folder / path).open("rb") as content:
                archive.addfile(entry, content)

"""sha256 of files, as the manifest records them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from ckpt_action.outcome import FileRecord

_CHUNK = 1 << 20
Stamp = tuple[int, int, int]
_stat = os.stat
"""As it is before anybody listens to it."""


def file_digest(file: Path) -> str:
    """sha256 of the bytes of `file`, in hexadecimal."""
    digest = hashlib.sha256()
    _feed(digest, file)
    return digest.hexdigest()


def stamp(file: Path | str) -> Stamp | None:
    """What any writer of `file` changes; None where it is not there."""
    try:
        found = _stat(file)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def file_record(file: Path, folder: Path) -> FileRecord:
    """`file` with its path relative to `folder`."""
    return FileRecord(
        path=relative(file, folder), bytes=file.stat().st_size, sha256=file_digest(file)
    )


def folder_records(folder: Path) -> tuple[FileRecord, ...]:
    """Every file below `folder`, sorted by its path relative to it."""
    return tuple(sorted((file_record(f, folder) for f in _files(folder)), key=lambda r: r.path))


def folder_bytes(folder: Path) -> int:
    """Size of all files below `folder`."""
    return sum(file.stat().st_size for file in _files(folder))


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if not file.is_dir()]


def set_digest(files: Iterable[Path], folder: Path) -> str:
    """One sha256 over several files: of each, sorted by its path relative to `folder`, the path,
    a zero byte, the size in decimal, a zero byte, the bytes."""
    digest = hashlib.sha256()
    for name, file in sorted((relative(file, folder), file) for file in files):
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        _feed(digest, file)
    return digest.hexdigest()


def relative(file: Path, folder: Path) -> str:
    """POSIX path from `folder` to `file`, which need not lie below it."""
    return Path(os.path.relpath(file, folder)).as_posix()


def copy_checked(source: Path, target: Path, record: FileRecord) -> bool:
    """Copy `source` to the new file `target`; whether the copy has the bytes that `record` says."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as stream, target.open("xb") as copy:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += copy.write(chunk)
    return (size, digest.hexdigest()) == (record.bytes, record.sha256)


def _feed(digest: hashlib._Hash, file: Path) -> None:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)

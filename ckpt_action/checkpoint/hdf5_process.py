"""What HDF5-based checkpoints hold, read in a process of its own.

The HDF5 library may crash, hang or ask for all memory when a file is damaged; whoever lists a
checkpoint must survive that.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.checkpoint.damage import AGAIN, broken
from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.keras_archive import KerasArchive, shard_names
from ckpt_action.checkpoint.records import Entry, Kind, Writer
from ckpt_action.codec import from_data, to_data
from ckpt_action.errors import CkptActionError, Problem

_CHILD = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from ckpt_action.checkpoint.hdf5_process import child; child()"
)
_SECONDS = 60
_BYTES_PER_SECOND = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Described:
    kind: Kind
    writer: Writer
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the child prints: a description, or what is wrong."""

    described: Described | None = None
    problems: tuple[Problem, ...] = ()


def describe(path: Path, container: Kind, *, seconds: float | None = None) -> Described:
    """Kind, writer and values of the HDF5 file, archive or shards at `path`.

    `container` is HDF5, KERAS_ARCHIVE or KERAS_WEIGHTS_SHARDED. `seconds` is the time that it may
    take; the default grows with the file. Raises CkptActionError.
    """
    allowed = seconds or _SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    # Isolated, with our own search path: nothing in the working directory is imported.
    command = [sys.executable, "-I", "-c", _CHILD, str(path), container.value, *sys.path]
    try:
        run = subprocess.run(command, capture_output=True, timeout=allowed, check=False)
    except subprocess.TimeoutExpired:
        raise broken(path, f"{path.name} is damaged: reading it does not end.", AGAIN) from None
    if not 0 <= run.returncode < 256:  # a signal, or what Windows has for one
        message = f"{path.name} is damaged: the HDF5 library crashes on it."
        raise broken(path, message, AGAIN)
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace"))
    answer = from_data(_Answer, json.loads(run.stdout))
    if answer.described is None:
        raise CkptActionError(*answer.problems)
    return answer.described


def child() -> None:
    """The other process: print an `_Answer` as JSON."""
    try:
        answer = _Answer(described=_described(Path(sys.argv[1]), Kind(sys.argv[2])))
    except CkptActionError as error:
        answer = _Answer(problems=error.problems)
    json.dump(to_data(answer), sys.stdout)


def _described(path: Path, container: Kind) -> Described:
    if container is Kind.KERAS_ARCHIVE:
        archive = KerasArchive(path)
        parts = [Hdf5Weights(path, archive.content(shard)) for shard in archive.shards]
        return _joined(container, archive.writer, parts)
    if container is Kind.KERAS_WEIGHTS_SHARDED:
        shards = shard_names(path, path.read_text("utf-8"))
        parts = [Hdf5Weights(path.with_name(shard)) for shard in shards]
        return _joined(container, Writer.KERAS_3, parts)
    weights = Hdf5Weights(path)
    return _joined(weights.kind, weights.writer, [weights])


def _joined(kind: Kind, writer: Writer, parts: list[Hdf5Weights]) -> Described:
    entries = tuple(entry for part in parts for entry in part.entries)
    return Described(kind=kind, writer=writer, entries=entries)

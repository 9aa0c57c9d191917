"""The files that a job reads: which bytes they had, and whether anybody wrote to them meanwhile."""

from __future__ import annotations

from pathlib import Path

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.digests import relative, set_digest
from ckpt_action.outcome import CheckpointRecord
from ckpt_action.plan import Job


def checkpoint_record(job: Job) -> CheckpointRecord:
    """The checkpoint of `job`, hashed."""
    files = job.checkpoint
    return CheckpointRecord(
        path=relative(files.path, job.folder),
        kind=files.kind.value,
        writer=files.writer.value,
        step=files.step,
        sha256=_digest(files),
        bytes=files.bytes,
    )


def stamps(job: Job) -> tuple[tuple[int, int, int] | None, ...]:
    """What any writer of the checkpoint, the golden file or an op library changes; None for one
    that is gone."""
    golden = (job.model.verify.golden,) if job.model.verify.golden else ()
    return tuple(map(_stamp, (*job.checkpoint.files, *golden, *job.model.op_libraries)))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(checkpoint: CheckpointFiles) -> str:
    """Empty where a file is gone: then the job fails, for its stamps have changed."""
    try:
        return set_digest(checkpoint.files, checkpoint.path.parent)
    except OSError:
        return ""

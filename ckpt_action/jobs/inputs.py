"""The files that a job reads: which bytes they had, and whether anybody wrote to them meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.digests import Stamp, file_record, relative, set_digest, stamp
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import CheckpointRecord, FileRecord
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


def golden_record(job: Job) -> FileRecord | None:
    """The golden file of `job`, hashed; None where there is none, or it is gone."""
    golden = job.model.verify.golden
    return next(iter(_records((golden,) if golden else (), job)), None)


def library_records(job: Job) -> tuple[FileRecord, ...]:
    return _records(job.model.op_libraries, job)


def _records(files: Iterable[Path], job: Job) -> tuple[FileRecord, ...]:
    """Without what is gone: then the job fails, for its stamps have changed."""
    with suppress(OSError):
        return tuple(file_record(file, job.folder) for file in files)
    return ()


def stamps(job: Job) -> dict[Path, Stamp | None]:
    """What any writer of the checkpoint, the golden file or an op library changes; None for one
    that is gone."""
    golden = (job.model.verify.golden,) if job.model.verify.golden else ()
    return {f: stamp(f) for f in (*job.checkpoint.files, *golden, *job.model.op_libraries)}


def changed_problem(before: Mapping[Path, Stamp | None], job: Job) -> Problem | None:
    """That a declared file is not what it was at `before`; None where all are."""
    changed = [file for file, found in stamps(job).items() if found != before[file]]
    if not changed:
        return None
    names = ", ".join(relative(file, job.folder) for file in changed)
    return Problem(
        code=ExitCode.CHECKPOINT,
        message=f"{names} changed while the model was made from it.",
        hint="Export when training does not write to it, or from a copy. The model's own code may "
        "have written it too: does the module of the entry point train when it is imported?",
    )


def _digest(checkpoint: CheckpointFiles) -> str:
    """Empty where a file is gone: then the job fails, for its stamps have changed."""
    try:
        return set_digest(checkpoint.files, checkpoint.path.parent)
    except OSError:
        return ""

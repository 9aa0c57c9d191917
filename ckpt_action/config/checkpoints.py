"""The checkpoint files that a model's globs match, looked at without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ckpt_action.checkpoint.discover import discover
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import Model
from ckpt_action.config.tables import ModelTable
from ckpt_action.errors import Problem

_WEIGHTS_ONLY = (
    Kind.OBJECT_GRAPH,
    Kind.NAME_BASED,
    Kind.KERAS_WEIGHTS,
    Kind.KERAS_WEIGHTS_EARLY,
    Kind.KERAS_WEIGHTS_SHARDED,
    Kind.LEGACY_H5_WEIGHTS,
    Kind.SAVED_MODEL,
)


def checkpoint_findings(model: ModelTable, record: Model, places: Places) -> Iterator[Finding]:
    """What discovery says, at the key `checkpoints`; and whether an entry point can be left out."""
    found, problems = discover(record.checkpoints, places.folder, record.select)
    for problem in problems:
        yield Finding(
            path=model.at("checkpoints"),
            message=problem.message,
            hint=problem.hint,
            severity=problem.severity,
            code=problem.code,
            details=problem.details + _file(problem, places),
        )
    for checkpoint in found:
        if record.entry_point is None and not _holds_architecture(checkpoint):
            yield Finding(
                path=model.path,
                message=f"The key `entry-point` is missing: {checkpoint.path.name} "
                f"({checkpoint.kind.value}) holds weights, but not how the model is built.",
            )


def _file(problem: Problem, places: Places) -> tuple[str, ...]:
    """Which file, where it is not the folder that the message speaks of."""
    if problem.where is None or Path(problem.where.file).is_dir():
        return ()
    return (f"in {places.shown(problem.where.file)}",)


def _holds_architecture(checkpoint: CheckpointFiles) -> bool:
    """A TF1 checkpoint does with its `.meta`; of an unopened HDF5 file nobody knows yet."""
    if checkpoint.kind is Kind.NAME_BASED:
        return any(file.suffix == ".meta" for file in checkpoint.files)
    return checkpoint.kind not in _WEIGHTS_ONLY

"""The checkpoint files that a model's globs match, looked at without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ckpt_action.checkpoint.discover import discover
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import DEFAULT_SIGNATURE, Model
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import key_text
from ckpt_action.errors import ExitCode, Problem, Severity

ENTRY_POINT_HINT = 'As in `entry-point = "package.module:build"`.'

_WEIGHTS_ONLY = (
    Kind.OBJECT_GRAPH,
    Kind.NAME_BASED,
    Kind.TF1_V1,
    Kind.KERAS_WEIGHTS,
    Kind.KERAS_WEIGHTS_EARLY,
    Kind.KERAS_WEIGHTS_SHARDED,
    Kind.LEGACY_H5_WEIGHTS,
    Kind.SAVED_MODEL,
)


def checkpoint_findings(model: ModelTable, record: Model, places: Places) -> Iterator[Finding]:
    """What discovery says, at the key `checkpoints`; and whether the model can be made of it."""
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
        yield from _notes(model, record, checkpoint)
        if lack := missing_entry_point(record, checkpoint):
            yield Finding(path=model.path, message=lack, hint=ENTRY_POINT_HINT)
        elif _is_undeclared_graph(record, checkpoint):
            yield _undeclared_graph(model, checkpoint)


def missing_entry_point(model: Model, checkpoint: CheckpointFiles) -> str:
    """Why `model` cannot be rebuilt without an entry point; empty where it has one, or needs none.

    Of an HDF5 file that was not opened nobody knows yet: then it is empty too.
    """
    if model.entry_point is not None or _holds_architecture(checkpoint):
        return ""
    what = f"{checkpoint.path.name} ({checkpoint.kind.value})"
    return (
        f"The key `entry-point` is missing: {what} holds weights, but not how the model is built."
    )


def _notes(model: ModelTable, record: Model, checkpoint: CheckpointFiles) -> Iterator[Finding]:
    """Which checkpoint was chosen and why, but for what `rules` says of the pattern itself."""
    parts = tuple(f"{PurePosixPath(pattern).name} is one file" for pattern in record.checkpoints)
    for note in checkpoint.notes:
        if not note.startswith(parts):
            yield Finding(
                path=model.at("checkpoints"),
                message=note,
                severity=Severity.NOTE,
                code=ExitCode.CHECKPOINT,
            )


def _file(problem: Problem, places: Places) -> tuple[str, ...]:
    """Which file, where it is not the folder that the message speaks of."""
    if problem.where is None or Path(problem.where.file).is_dir():
        return ()
    return (f"in {places.shown(problem.where.file)}",)


def _holds_architecture(checkpoint: CheckpointFiles) -> bool:
    """A TF1 checkpoint does with its `.meta`; of an unopened HDF5 file nobody knows yet."""
    if checkpoint.kind.names_only:
        return any(file.suffix == ".meta" for file in checkpoint.files)
    return checkpoint.kind not in _WEIGHTS_ONLY


def _is_undeclared_graph(record: Model, checkpoint: CheckpointFiles) -> bool:
    is_graph = record.entry_point is None and checkpoint.kind.names_only
    return is_graph and not record.signatures


def _undeclared_graph(model: ModelTable, checkpoint: CheckpointFiles) -> Finding:
    return Finding(
        path=model.path,
        message=f"The graph in {checkpoint.path.name}.meta does not say which of its tensors are "
        "inputs and outputs: the table `signatures` is missing.",
        hint="Add the lines above with the graph's own names; `ckpt-action export` lists those "
        "that come into question.",
        code=ExitCode.SIGNATURE,
        details=(
            f"[models.{key_text(model.name)}.signatures.{DEFAULT_SIGNATURE}]",
            'inputs  = { x = { tensor = "Placeholder:0", dtype = "float32", shape = ["n", 8] } }',
            'outputs = { y = "BiasAdd:0" }',
        ),
    )

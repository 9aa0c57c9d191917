"""The checkpoint files that a model's globs match, looked at without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ckpt_action.checkpoint.discover import discover, opened
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.config.architecture_file import builder
from ckpt_action.config.checkpoint_parts import root_problem
from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import DEFAULT_SIGNATURE, Model
from ckpt_action.config.tables import ModelTable
from ckpt_action.config.wording import key_text
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity

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
        yield _of_files(model, problem, places)
    for checkpoint in found:
        yield from _notes(model, record, checkpoint)
        if wrong := root_problem(record, checkpoint):
            yield replace(_of_files(model, wrong, places), path=model.at("restore", "root"))
        if record.entry_point is None:
            yield from _rebuild_findings(model, record, checkpoint, places)


def _rebuild_findings(
    model: ModelTable, record: Model, measured: CheckpointFiles, places: Places
) -> Iterator[Finding]:
    """Of a model without entry point."""
    try:
        checkpoint = opened(measured)
    except CkptActionError as error:
        yield from (_of_files(model, problem, places) for problem in error.problems)
        return
    if lack := missing_entry_point(record, checkpoint):
        lines = builder(checkpoint, places.folder)
        yield Finding(path=model.path, message=lack, hint=ENTRY_POINT_HINT, details=lines)
    elif checkpoint.kind.names_only and not record.signatures:
        yield _undeclared_graph(model, checkpoint)


def _of_files(model: ModelTable, problem: Problem, places: Places) -> Finding:
    return Finding(
        path=model.at(key_of(problem)),
        message=problem.message,
        hint=problem.hint,
        severity=problem.severity,
        code=problem.code,
        details=problem.details + checkpoint_file(problem, places.folder),
    )


def missing_entry_point(model: Model, checkpoint: CheckpointFiles) -> str:
    """Why `model` cannot be rebuilt without an entry point; empty where it has one, or needs none.

    Of an HDF5 file that was not opened nobody knows yet: then it is empty too.
    """
    if model.entry_point is not None or holds_architecture(checkpoint):
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


def key_of(problem: Problem) -> str:
    """The key of a model that a problem with its checkpoints speaks of."""
    return (problem.where and problem.where.key_path) or "checkpoints"


def checkpoint_file(problem: Problem, folder: Path) -> tuple[str, ...]:
    """Which file, as it is named from `folder`, where it is not the one the message speaks of."""
    if problem.where is None or Path(problem.where.file).is_dir():
        return ()
    file = Path(problem.where.file)
    return (f"in {(file.relative_to(folder) if folder in file.parents else file).as_posix()}",)


def holds_architecture(checkpoint: CheckpointFiles) -> bool:
    """Whether the model may be built of it: of a TF1 checkpoint with its `.meta`, and of an HDF5
    file that was not opened nobody knows yet."""
    if checkpoint.kind.names_only:
        return any(file.suffix == ".meta" for file in checkpoint.files)
    return checkpoint.kind not in _WEIGHTS_ONLY


def _undeclared_graph(model: ModelTable, checkpoint: CheckpointFiles) -> Finding:
    return Finding(
        path=model.path,
        message=f"The graph in {checkpoint.path.name}.meta does not say which of its tensors are "
        "inputs and outputs: the table `signatures` is missing.",
        hint="Add the lines above with the graph's own names; `ckpt-action export` lists the "
        "candidates.",
        code=ExitCode.SIGNATURE,
        details=(
            f"[models.{key_text(model.name)}.signatures.{DEFAULT_SIGNATURE}]",
            'inputs  = { x = { tensor = "Placeholder:0", dtype = "float32", shape = ["n", 8] } }',
            'outputs = { y = "BiasAdd:0" }',
        ),
    )

"""The checkpoint files that a model's globs match, looked at without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

from ckpt_action.checkpoint.records import Kind
from ckpt_action.config.findings import Finding
from ckpt_action.config.places import Places
from ckpt_action.config.records import Model
from ckpt_action.config.tables import ModelTable

_HOLDS_ARCHITECTURE = (Kind.KERAS_ARCHIVE, Kind.LEGACY_H5_MODEL, Kind.NAME_BASED)


def checkpoint_findings(model: ModelTable, record: Model, places: Places) -> Iterator[Finding]:
    """What discovery says, at the key `checkpoints`; and whether an entry point can be left out."""
    from ckpt_action.checkpoint.discover import discover

    path = model.at("checkpoints")
    found, problems = discover(record.checkpoints, places.folder, record.select)
    for problem in problems:
        yield Finding(
            path=path,
            message=problem.message,
            hint=problem.hint,
            severity=problem.severity,
            code=problem.code,
            details=problem.details,
        )
    for checkpoint in found:
        if record.entry_point is None and checkpoint.kind not in _HOLDS_ARCHITECTURE:
            yield Finding(
                path=model.path,
                message=f"The key `entry-point` is missing: {checkpoint.path.name} "
                f"({checkpoint.kind.value}) holds weights, but not how the model is built.",
            )

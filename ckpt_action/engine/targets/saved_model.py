"""A SavedModel directory with one or more signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ckpt_action.engine.records import TracedModel, Written
    from ckpt_action.engine.saved_model.artifact import SavedModelArtifact

FORMAT = "saved-model"
SUMMARY = "SavedModel directory for TensorFlow Serving, Python, C++, Java, Go"
EXTRA = "tensorflow"
EXPORT_MEMORY = 4
OPTIONS: Mapping[str, Mapping[str, object]] = {}


def export(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:  # noqa: ARG001
    """Write `saved_model.pb`, `variables/`, `assets/` and `fingerprint.pb`."""
    from ckpt_action.engine.saved_model.write import write_saved_model

    return write_saved_model(model, folder)


def open_artifact(folder: Path, op_libraries: tuple[Path, ...]) -> SavedModelArtifact:
    """Raises CkptActionError (VERIFY) where the folder holds no readable SavedModel."""
    from ckpt_action.engine.saved_model.artifact import SavedModelArtifact

    return SavedModelArtifact(folder, op_libraries)

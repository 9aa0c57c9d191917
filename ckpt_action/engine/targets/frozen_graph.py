"""One GraphDef file with the weights as constants, and its inputs and outputs in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.engine.max_error import ROUNDING

if TYPE_CHECKING:
    from ckpt_action.engine.freeze.artifact import FrozenGraphArtifact
    from ckpt_action.engine.records import TracedModel, Written

FORMAT = "frozen-graph"
SUMMARY = "Frozen GraphDef `.pb` with `.io.json`, for OpenCV, Java, C++ and embedded runtimes"
EXTRA = "tensorflow"
EXPORT_MEMORY = 5
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "lower-control-flow": {
        "type": "boolean",
        "default": False,
        "description": (
            "Write loops and branches as Switch, Merge, Enter and Exit, for readers that do not "
            "know While, If and Case."
        ),
    },
    "optimize": {
        "type": "boolean",
        "default": False,
        "description": (
            "Fold constants and normalisation into the kernels, and write the exact gelu and "
            "Einsum in plainer ops, for OpenCV and other readers that know few."
        ),
    },
}

_AS_IT_IS = 1e-5
"""The graph is run as it is written, the model's own after TensorFlow rewrote it; several times
what deep networks were measured to differ by that."""


def export(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Write `<model>.pb` and `<model>.io.json`."""
    from ckpt_action.engine.freeze import freeze, write
    from ckpt_action.engine.freeze.io_json import write_io
    from ckpt_action.engine.freeze.size import refuse_size, size_of
    from ckpt_action.engine.prepare.optimize import optimized
    from ckpt_action.engine.records import Written

    optimize = bool(options.get("optimize", False))
    transformed: tuple[str, ...] = ()
    frozen = freeze(model, lower_control_flow=bool(options.get("lower-control-flow", False)))
    if optimize:
        frozen, transformed = optimized(frozen)
        refuse_size(size_of(frozen.graph, frozen.values))  # folding may have made it grow
    # Loaders take a folder with a `saved_model.pb` for a SavedModel.
    stem = "frozen_graph" if model.name == "saved_model" else model.name
    write(frozen, folder / f"{stem}.pb")
    write_io(frozen, folder / f"{stem}.io.json", f"{stem}.pb")
    return Written(
        signatures=frozen.signatures,
        payloads=frozen.weights,
        unread=frozen.unread,
        transformed=transformed,
        rounding=ROUNDING if optimize else _AS_IT_IS,
        notes=frozen.notes,
    )


def open_artifact(folder: Path, op_libraries: tuple[Path, ...]) -> FrozenGraphArtifact:
    """Raises CkptActionError (VERIFY) where the two files do not describe one graph."""
    from ckpt_action.engine.freeze.artifact import FrozenGraphArtifact

    return FrozenGraphArtifact(folder, op_libraries)

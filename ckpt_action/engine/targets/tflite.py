"""One `.tflite` file with the declared signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.config.vocabulary import ENTRY_POINT
from ckpt_action.engine.max_error import OPTION, TFLITE, max_error_schema

if TYPE_CHECKING:
    from ckpt_action.engine.records import TracedModel, Written
    from ckpt_action.engine.tflite.artifact import TFLiteArtifact

FORMAT = "tflite"
SUMMARY = "TFLite `.tflite` for LiteRT on phones, browsers and embedded Linux"
EXTRA = "tflite"
EXPORT_MEMORY = 9
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "quantize": {
        "type": "string",
        "enum": ["none", "float16", "dynamic-range", "int8"],
        "default": "none",
        "examples": ["float16"],
        "description": (
            "How weights are stored: as they are, as float16, as int8 (`dynamic-range`), or as "
            "int8 with every op computed in integers (`int8`, needs `representative-data`)."
        ),
    },
    "representative-data": {
        "type": "string",
        "pattern": ENTRY_POINT,
        "x-expected": "`module:callable`",
        "examples": ["digits.data:samples"],
        "description": (
            "`module:callable` that gives samples of the inputs, on which the ranges of `int8` "
            "are measured."
        ),
    },
    "select-tf-ops": {
        "type": "boolean",
        "default": False,
        "description": (
            "Keep TensorFlow's own kernels for ops that TFLite has none for. Such a file cannot "
            "be run, nor proven, where it is exported."
        ),
    },
    OPTION: max_error_schema(TFLITE, 0.02),
}


def export(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Write `<model>.tflite`."""
    from ckpt_action.engine.tflite.write import write_tflite

    return write_tflite(model, folder, options)


def open_artifact(folder: Path, op_libraries: tuple[Path, ...]) -> TFLiteArtifact:  # noqa: ARG001
    """Raises CkptActionError (VERIFY) where the folder holds no readable TFLite file."""
    from ckpt_action.engine.tflite.artifact import TFLiteArtifact

    return TFLiteArtifact(folder)

"""A graph model for TensorFlow.js: `model.json` and its shards of weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.engine.max_error import OPTION, TFJS, max_error_schema

if TYPE_CHECKING:
    from ckpt_action.engine.records import TracedModel, Written
    from ckpt_action.engine.tfjs.artifact import TFJSArtifact

FORMAT = "tfjs"
SUMMARY = "TensorFlow.js graph model (`model.json` and shards) for browsers and Node"
EXTRA = "tensorflow"
EXPORT_MEMORY = 7
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "quantize": {
        "type": "object",
        "additionalProperties": False,
        "required": ["weights"],
        "properties": {
            "weights": {
                "type": "string",
                "enum": ["float16", "uint16", "uint8"],
                "description": "What weights are stored as; the browser computes in float32.",
            },
            "only": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "uniqueItems": True,
                "description": "Patterns of the names of the weights to store so. Default: all.",
            },
        },
        "examples": [{"weights": "float16"}],
        "description": "Weights in fewer bits, all or those whose names match `only`.",
    },
    OPTION: max_error_schema(TFJS, 0.02),
}


def export(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Write `model.json` and `group1-shard1of<n>.bin`."""
    from ckpt_action.engine.tfjs.write import write_tfjs

    return write_tfjs(model, folder, options)


def open_artifact(folder: Path, op_libraries: tuple[Path, ...]) -> TFJSArtifact:  # noqa: ARG001
    """Raises CkptActionError (VERIFY) where the folder holds no readable graph model."""
    from ckpt_action.engine.tfjs.artifact import TFJSArtifact

    return TFJSArtifact(folder)

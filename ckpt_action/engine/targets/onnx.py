"""ONNX files: one for each signature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ckpt_action.engine.max_error import OPTION, max_error_schema

if TYPE_CHECKING:
    from ckpt_action.engine.onnx_graph.artifact import OnnxArtifact
    from ckpt_action.engine.records import TracedModel, Written

FORMAT = "onnx"
SUMMARY = "ONNX (opset 17) for ONNX Runtime, OpenVINO, TensorRT and .NET"
EXTRA = "onnx"
EXPORT_MEMORY = 13
OPTIONS: Mapping[str, Mapping[str, object]] = {
    OPTION: max_error_schema({}, 0.00002),
}


def export(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Write `<model>.onnx`, or `<model>.<signature>.onnx` where there are several."""
    from ckpt_action.engine.onnx_graph.write import write_onnx

    return write_onnx(model, folder, options)


def open_artifact(folder: Path, op_libraries: tuple[Path, ...]) -> OnnxArtifact:  # noqa: ARG001
    """Raises CkptActionError (VERIFY) where a file is no readable ONNX."""
    from ckpt_action.engine.onnx_graph.artifact import OnnxArtifact

    return OnnxArtifact(folder)

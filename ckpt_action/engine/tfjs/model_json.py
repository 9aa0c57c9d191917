"""`model.json`: signature, topology and the manifest of weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped]

from ckpt_action import __version__
from ckpt_action.engine.tfjs.model_file import SIGNATURE_NAME
from ckpt_action.outcome import SignatureRecord, TensorRecord


def write_model_json(
    path: Path,
    graph: Any,
    filling: Any,
    signature: SignatureRecord,
    manifest: list[dict[str, Any]],
) -> None:
    """`filling`: the graph that fills lookup tables; without nodes where there are none."""
    content = {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": f"ckpt-action {__version__}",
        "signature": {
            "inputs": {t.name: _info(t) for t in signature.inputs},
            "outputs": {t.name: _info(t) for t in signature.outputs},
        },
        "userDefinedMetadata": {SIGNATURE_NAME: signature.name},
        "modelTopology": _sorted(json_format.MessageToDict(graph)),
        "weightsManifest": manifest,
    }
    if filling.node:
        content["modelInitializer"] = _sorted(json_format.MessageToDict(filling))
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8", newline="\n")


def _info(tensor: TensorRecord) -> dict[str, Any]:
    """A TensorInfo in JSON; free dimensions are -1."""
    shape: dict[str, Any] = {"unknownRank": True}
    if tensor.shape is not None:
        sizes = [str(size) if isinstance(size, int) else "-1" for size in tensor.shape]
        shape = {"dim": [{"size": size} for size in sizes]} if sizes else {}
    enum = tf.as_dtype(tensor.dtype).as_datatype_enum
    dtype = tf.compat.v1.AttrValue(type=enum)
    return {
        "name": tensor.tensor,
        "dtype": json_format.MessageToDict(dtype)["type"],
        "tensorShape": shape,
    }


def _sorted(data: Any) -> Any:
    """Maps of a protocol buffer come in any order."""
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data

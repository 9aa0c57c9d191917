"""The `tfjs` target: a frozen graph, prepared, as a graph model of TensorFlow.js."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped]

from ckpt_action import __version__
from ckpt_action.engine.freeze import FrozenGraph, freeze
from ckpt_action.engine.prepare import Prepared, prepare
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.tfjs.model_file import MODEL, SIGNATURE_NAME
from ckpt_action.engine.tfjs.quantise import Quantise, quantise_option, refuse_idle_patterns
from ckpt_action.engine.tfjs.refusals import narrowed, refuse_nodes, refuse_signatures
from ckpt_action.engine.tfjs.topology import PASSES
from ckpt_action.engine.tfjs.weights import STORED, take_constants, write_shards
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity
from ckpt_action.outcome import SignatureRecord, TensorRecord

_MAX_ERROR = {"": 1e-4, "float16": 0.01, "uint16": 1e-3, "uint8": 0.05}
"""Several times what well-behaved networks were measured to lose."""


def write_tfjs(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Raises CkptActionError (TARGET) with every reason why the format cannot hold the model."""
    _refuse(*refuse_signatures(model))
    frozen = freeze(model)
    prepared = prepare(frozen, PASSES)
    _refuse(*refuse_nodes(prepared.graph))
    notes = (*narrowed(prepared.graph), *_dropped(frozen))
    values = take_constants(prepared.graph)
    quantise = quantise_option(options)
    refuse_idle_patterns(quantise, list(values))
    manifest, changed = write_shards(values, quantise, folder)
    _write_json(folder / MODEL, prepared.graph, frozen.signatures[0], manifest)
    changed |= {name for name, value in values.items() if value.dtype.name in STORED}
    payloads = {name: path for name, path in prepared.stored.items() if name not in changed}
    return Written(
        signatures=frozen.signatures,
        payloads=payloads,
        unread=frozen.unread,
        transformed=_transformed(prepared, payloads),
        max_error=cast(float, options.get("max-error", _MAX_ERROR[quantise.dtype])),
        unproven=dict(_unproven(payloads, quantise)),
        notes=notes,
    )


def _refuse(*problems: Problem) -> None:
    if problems:
        raise CkptActionError(*problems)


def _transformed(prepared: Prepared, payloads: Mapping[str, str]) -> tuple[str, ...]:
    as_they_are = set(payloads.values())
    changed = (path for path in prepared.stored.values() if path not in as_they_are)
    return (*prepared.transformed, *changed)


def _unproven(payloads: Mapping[str, str], quantise: Quantise) -> Iterator[tuple[str, str]]:
    if not payloads:
        how = "quantised" if quantise.dtype else "folded into others"
        yield "payload", f"every variable is {how}; the values answer for all of them"


def _dropped(frozen: FrozenGraph) -> Iterator[Problem]:
    count = sum(node.op == "Assert" for node in frozen.graph.node)
    if count:
        yield Problem(
            code=ExitCode.OK,
            severity=Severity.NOTE,
            message=f"The TensorFlow.js model leaves out {count} assertions: bad values that the "
            "model would refuse are computed with.",
        )


def _write_json(
    path: Path, graph: Any, signature: SignatureRecord, manifest: list[dict[str, Any]]
) -> None:
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

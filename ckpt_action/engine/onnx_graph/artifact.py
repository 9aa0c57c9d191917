"""ONNX files, one per signature, opened from their bytes and run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from ckpt_action.engine.arrays import Array, flat_digest, numpy_dtype
from ckpt_action.engine.onnx_graph.copies import bodies
from ckpt_action.engine.unreadable import finding
from ckpt_action.errors import ExitCode, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord

SIGNATURE = "signature"
"""Key of the file's metadata that holds the signature's name."""


class OnnxArtifact:
    """See `engine.records.Artifact`."""

    def __init__(self, folder: Path) -> None:
        self._models: dict[str, tuple[Path, Any]] = {}
        for file in sorted(folder.glob("*.onnx")):
            with finding("read", file):
                model = onnx.load_model_from_string(file.read_bytes())
            self._models[_signature_name(file, model)] = file, model
        if not self._models:
            raise fail(
                ExitCode.VERIFY, f"{folder} has no file *.onnx.", hint="Export the model again."
            )
        self._sessions: dict[str, Any] = {}

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return tuple(
            SignatureRecord(
                name=name,
                inputs=tuple(map(_tensor, model.graph.input)),
                outputs=tuple(map(_tensor, model.graph.output)),
            )
            for name, (_, model) in sorted(self._models.items())
        )

    def stand_in(self) -> str:
        return ""

    def notes(self) -> tuple[str, ...]:
        return ("Run by ONNX Runtime",)

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        file, model = self._models[signature]
        with finding("run by ONNX Runtime", file, Exception):
            found = self._session(signature).run(None, _fed(inputs))
        return {
            record.name: _as_declared(value, record)
            for record, value in zip(map(_tensor, model.graph.output), found, strict=True)
        }

    def repeated(self, signature: str, inputs: Mapping[str, Array]) -> Callable[[], object]:
        """See `engine.records.Timed`."""
        session, fed = self._session(signature), _fed(inputs)
        return lambda: session.run(None, fed)

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(file and initialiser, `flat_digest`) of every constant."""
        for file, model in self._models.values():
            for name, value in constants(file.name, model):
                yield name, flat_digest(value)

    def _session(self, signature: str) -> Any:
        if signature not in self._sessions:
            file, model = self._models[signature]
            with finding("checked", file, onnx.checker.ValidationError):
                onnx.checker.check_model(model, full_check=True)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            with finding("opened by ONNX Runtime", file, Exception):
                self._sessions[signature] = onnxruntime.InferenceSession(
                    str(file), options, providers=["CPUExecutionProvider"]
                )
        return self._sessions[signature]


def constants(file: str, model: Any) -> Iterator[tuple[str, Array]]:
    """(`file:name`, value) of every tensor that the file stores."""
    for name, tensor in _tensors(model.graph):
        yield f"{file}:{name}", value_of(tensor)


def value_of(tensor: Any) -> Array:
    """A TensorProto as numpy; text as bytes."""
    return _bytes(onnx.numpy_helper.to_array(tensor))


def _tensors(graph: Any) -> Iterator[tuple[str, Any]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield f"{node.name}.{attribute.name}", attribute.t
            for body in bodies(attribute):
                yield from _tensors(body)


def _signature_name(file: Path, model: Any) -> str:
    for entry in model.metadata_props:
        if entry.key == SIGNATURE:
            return str(entry.value)
    raise fail(
        ExitCode.VERIFY,
        f"{file.name} does not say which signature it holds.",
        hint="Export the model again.",
    )


def _tensor(value: Any) -> TensorRecord:
    kind = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    return TensorRecord(
        name=value.name,
        dtype="string" if dtype.kind in "OSU" else dtype.name,
        shape=tuple(
            d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in kind.shape.dim
        )
        if kind.HasField("shape")
        else None,
        tensor=value.name,
    )


def _fed(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """ONNX Runtime takes text as str."""
    return {
        name: np.vectorize(bytes.decode, otypes=[object])(value)
        if value.dtype.hasobject and value.size
        else value
        for name, value in inputs.items()
    }


def _as_declared(value: Any, record: TensorRecord) -> Array:
    if record.dtype == "string":
        return _bytes(np.asarray(value, object))
    return np.asarray(value, numpy_dtype(record.dtype))


def _bytes(array: Array) -> Array:
    if not array.dtype.hasobject:
        return array
    found: Array = np.empty(array.size, dtype=object)
    found[:] = [t.encode() if isinstance(t, str) else t for t in array.reshape(-1).tolist()]
    shaped: Array = found.reshape(array.shape)
    return shaped

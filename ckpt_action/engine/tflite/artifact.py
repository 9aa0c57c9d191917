"""A `.tflite` file, opened from its bytes and run by LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from ckpt_action.engine.arrays import Array, flat_digest, numpy_dtype
from ckpt_action.engine.unreadable import finding
from ckpt_action.errors import ExitCode, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord

_DTYPES = {
    value: np.dtype(name.lower() if name.lower() in np.sctypeDict else np.uint8)
    for name, value in vars(schema.TensorType).items()
    if isinstance(value, int)
}
"""Types that numpy has not (text, four bits) are taken as bytes."""


class TFLiteArtifact:
    """See `engine.records.Artifact`."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.tflite"))
        if len(files) != 1:
            raise fail(
                ExitCode.VERIFY,
                f"{folder} has {len(files)} files *.tflite; this artifact has one.",
                hint="Export the model again.",
            )
        self._file = files[0]
        self._signatures = tuple(self._read_signatures())

    def signatures(self) -> tuple[SignatureRecord, ...]:
        return self._signatures

    def stand_in(self) -> str:
        return ""

    def notes(self) -> tuple[str, ...]:
        return ("Run by LiteRT, each probe in an interpreter of its own",)

    def run(self, signature: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """In a fresh interpreter: fused recurrent ops keep their state from call to call."""
        runner = self._runner(self._interpreter(), signature)
        (record,) = (s for s in self._signatures if s.name == signature)
        with self._finding("run"):
            found = runner(**inputs)
        return {t.name: np.asarray(found[t.name], numpy_dtype(t.dtype)) for t in record.outputs}

    def repeated(self, signature: str, inputs: Mapping[str, Array]) -> Callable[[], object]:
        """See `engine.records.Timed`."""
        runner = self._runner(self._interpreter(), signature)
        return lambda: runner(**inputs)

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(place, `flat_digest`) of every constant."""
        with self._finding("read"):
            for place, value in constants(self._file.read_bytes()):
                yield place, flat_digest(value)

    def _interpreter(self) -> Any:
        with self._finding("opened"):
            return Interpreter(model_path=str(self._file))

    def _runner(self, interpreter: Any, signature: str) -> Any:
        with self._finding("prepared"):
            return interpreter.get_signature_runner(signature)

    def _read_signatures(self) -> Iterator[SignatureRecord]:
        interpreter = self._interpreter()
        with self._finding("read"):
            for name in sorted(interpreter.get_signature_list()):
                runner = interpreter.get_signature_runner(name)
                yield SignatureRecord(
                    name=name,
                    inputs=_tensors(runner.get_input_details()),
                    outputs=_tensors(runner.get_output_details()),
                )

    def _finding(self, doing: str) -> Any:
        return finding(f"{doing} by LiteRT", self._file, RuntimeError)


def select_ops(content: bytes) -> tuple[str, ...]:
    """Ops of TensorFlow itself, which only applications built with its kernels can run."""
    model = schema.Model.GetRootAs(content, 0)
    codes = (model.OperatorCodes(i).CustomCode() for i in range(model.OperatorCodesLength()))
    flex = {code.decode() for code in codes if code and code.startswith(b"Flex")}
    return tuple(sorted(name.removeprefix("Flex") for name in flex))


def constants(content: bytes) -> Iterator[tuple[str, Array]]:
    """(`subgraph/tensor`, flat value) of every constant.

    Read from the file itself: an interpreter that is asked for what is no constant may crash.
    """
    model = schema.Model.GetRootAs(content, 0)
    for number in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(number)
        for place in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(place)
            data = model.Buffers(tensor.Buffer()).DataAsNumpy()
            if isinstance(data, np.ndarray):  # an empty buffer gives 0
                yield f"{number}/{place}", data.view(_DTYPES[tensor.Type()])


def _tensors(details: Mapping[str, Any]) -> tuple[TensorRecord, ...]:
    return tuple(
        TensorRecord(
            name=name,
            dtype=_dtype(detail["dtype"]),
            shape=tuple(None if size < 0 else int(size) for size in _shape(detail)),
            tensor=detail["name"],
        )
        for name, detail in sorted(details.items())
    )


def _shape(detail: Mapping[str, Any]) -> Any:
    """`shape_signature` is empty where no dimension is free."""
    signature = detail["shape_signature"]
    return signature if len(signature) else detail["shape"]


def _dtype(kind: Any) -> str:
    dtype = np.dtype(kind)
    return "string" if dtype.kind in "OSU" else dtype.name

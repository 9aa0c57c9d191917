"""The `tflite` target: options, conversion, and what the file holds of each variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from ckpt_action.engine.arrays import Array, content_digest
from ckpt_action.engine.prove.live import to_array
from ckpt_action.engine.records import ModelVariable, TracedModel, Written
from ckpt_action.engine.tflite.artifact import constants, interpreter_of, select_ops
from ckpt_action.engine.tflite.convert import Quantize, Sample, convert
from ckpt_action.engine.tflite.representative import representative_samples
from ckpt_action.errors import ExitCode, Problem, Severity, fail

_MAX_ERROR: Mapping[Quantize, float] = {
    "none": 1e-4,
    "float16": 0.01,
    "dynamic-range": 0.05,
    "int8": 0.1,
}
"""Several times what well-behaved networks were measured to lose."""


def write_tflite(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Raises CkptActionError (TARGET) where TFLite cannot hold the model as it is asked for."""
    quantize = cast(Quantize, options.get("quantize", "none"))
    samples = _samples(model, quantize, options.get("representative-data"))
    content = convert(
        model, quantize, samples, select_tf_ops=bool(options.get("select-tf-ops", False))
    )
    foreign = select_ops(content)
    held = _held(model.variables, content)
    (folder / f"{model.name}.tflite").write_bytes(content)
    return Written(
        signatures=tuple(s.record for s in model.signatures),
        payloads=held.payloads,
        rearranged=held.rearranged,
        transformed=held.transformed,
        max_error=cast(float, options.get("max-error", _MAX_ERROR[quantize])),
        unproven=dict(_unproven(held, foreign)),
        notes=(_unrunnable(foreign),) if foreign else (),
    )


def _samples(model: TracedModel, quantize: Quantize, data: object) -> tuple[Sample, ...]:
    if quantize != "int8":
        return ()
    if data is None:
        raise fail(
            ExitCode.TARGET,
            "Quantising to int8 needs `representative-data`: the ranges of all values between the "
            "layers are measured on it.",
            hint='As in `representative-data = "package.module:samples"`, a function that gives '
            "some hundred samples like those the model will see.",
        )
    return representative_samples(str(data), model)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What the file's constants hold of the variables; the fields are those of `Written`."""

    payloads: dict[str, str] = field(default_factory=dict)
    rearranged: dict[str, str] = field(default_factory=dict)
    transformed: tuple[str, ...] = ()


def _held(variables: tuple[ModelVariable, ...], content: bytes) -> _Held:
    """The converter transposes kernels, which keeps their values, and folds or quantises others."""
    places: dict[str, list[str]] = {}
    for place, found in constants(interpreter_of(content)):
        places.setdefault(found, []).append(place)
    held, transformed = _Held(), []
    for variable in variables:
        known = [d for d in _forms(to_array(variable.variable)) if places.get(d)]
        if known:
            held.payloads[places[known[0]].pop(0)] = variable.path
            held.rearranged[variable.path] = known[0]
        else:
            transformed.append(variable.path)
    return _Held(payloads=held.payloads, rearranged=held.rearranged, transformed=tuple(transformed))


def _forms(value: Array) -> Iterator[str]:
    yield content_digest(value)
    if value.dtype == np.float32:
        with np.errstate(over="ignore"):
            yield content_digest(value.astype(np.float16))


def _unproven(held: _Held, select_ops: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if not held.payloads:
        yield "payload", "no variable is stored as it is; the values answer for all of them"
    if select_ops:
        yield "values", f"LiteRT has no kernel for {', '.join(select_ops)}: it was not run"


def _unrunnable(ops: tuple[str, ...]) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        severity=Severity.WARNING,
        message="The TFLite file was not run, so nothing shows that it computes what the model "
        f"does: it holds {', '.join(ops)}, for which `select-tf-ops` keeps TensorFlow's kernels, "
        "and the LiteRT of Python runs none of these.",
        hint="Test it in the application that it is for.",
    )

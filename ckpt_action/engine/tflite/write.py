"""The `tflite` target: options, conversion, and what the file holds of each variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import numpy as np

from ckpt_action.engine.max_error import ROUNDING, TFLITE, max_error
from ckpt_action.engine.records import TracedModel, Written
from ckpt_action.engine.stored_weights import Held, held_values
from ckpt_action.engine.tflite.artifact import constants, select_ops
from ckpt_action.engine.tflite.convert import Quantize, Sample, convert
from ckpt_action.engine.tflite.refusals import refuse_crashes
from ckpt_action.engine.tflite.representative import representative_samples
from ckpt_action.errors import ExitCode, Problem, fail, note, warning

_LEAST = 1024
"""Values of a kernel from which TensorFlow's converter quantises it."""


def write_tflite(model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
    """Raises CkptActionError (TARGET) where TFLite cannot hold the model as it is asked for."""
    quantize = cast(Quantize, options.get("quantize", "none"))
    samples = _samples(model, quantize, options.get("representative-data"))
    content = convert(
        model, quantize, samples, select_tf_ops=bool(options.get("select-tf-ops", False))
    )
    foreign = select_ops(content)
    stored = tuple(constants(content))
    held = held_values(model.variables, stored, half=quantize == "float16")
    idle = quantize == "dynamic-range" and not any(value.dtype == np.int8 for _, value in stored)
    (folder / f"{model.name}.tflite").write_bytes(content)
    return Written(
        signatures=tuple(s.record for s in model.signatures),
        payloads=held.payloads,
        rearranged=held.rearranged,
        transformed=held.transformed,
        max_error=max_error(options, TFLITE.get(quantize)),
        rounding=ROUNDING,
        measured_on=samples,
        unproven=dict(_unproven(held, foreign)),
        notes=((_unrunnable(foreign),) if foreign else ())
        + ((_nothing_quantised(),) if idle else ()),
    )


def _samples(model: TracedModel, quantize: Quantize, data: object) -> tuple[Sample, ...]:
    if quantize != "int8":
        return ()
    refuse_crashes(model)
    if data is None:
        raise fail(
            ExitCode.TARGET,
            "Quantising to int8 needs `representative-data`: the ranges of all values between the "
            "layers are measured on it.",
            hint='As in `representative-data = "package.module:samples"`, a function that gives '
            "some hundred samples like those the model will see.",
        )
    return representative_samples(str(data), model)


def _unproven(held: Held, select_ops: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if not held.payloads:
        yield "payload", "no variable is stored as it is; the values answer for all of them"
    if select_ops:
        yield "values", f"LiteRT has no kernel for {', '.join(select_ops)}: it was not run"


def _nothing_quantised() -> Problem:
    return note(
        ExitCode.TARGET,
        '`quantize = "dynamic-range"` quantised nothing: it takes the kernels of dense layers, '
        f"convolutions and the like that have {_LEAST} values and more, and no other weight.",
        hint='Leave it out, or take `quantize = "float16"`.',
    )


def _unrunnable(ops: tuple[str, ...]) -> Problem:
    return warning(
        ExitCode.VERIFY,
        "The TFLite file was not run, so nothing shows that it computes what the model "
        f"does: it holds {', '.join(ops)}, for which `select-tf-ops` keeps TensorFlow's kernels, "
        "and the LiteRT of Python runs none of these.",
        hint="Test it in the application that it is for.",
    )

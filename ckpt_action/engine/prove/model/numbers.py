"""NaN in outputs: whose fault it is, and whether anything is left to compare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ckpt_action.engine.arrays import Array, to_array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.outputs.spread import inexact
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import ExitCode, Problem, Severity


def number_problems(
    live: LiveSignature, model: TracedModel, probes: Sequence[Probe]
) -> tuple[Problem, ...]:
    """NaN where the golden file expects it is right. For seeded inputs it is an error where weights
    hold NaN, or where an output has no finite value and so proves nothing; else it may be the
    inputs' fault, a warning."""
    if any(p.golden is not None for p in probes):
        return ()
    counts = {
        name: sum(nan_count(p.reference[name]) for p in probes) for name in probes[0].reference
    }
    damaged = holding_nan(live, model) if any(counts.values()) else []
    return tuple(
        _problem(live.record.name, name, count, damaged, dead=_is_dead(name, probes))
        for name, count in counts.items()
        if count
    )


def nan_count(array: Array) -> int:
    return int(np.isnan(array.astype(np.complex128)).sum()) if inexact(array) else 0


def _is_dead(name: str, probes: Sequence[Probe]) -> bool:
    arrays = [p.reference[name].astype(np.complex128) for p in probes]
    return not any(np.isfinite(array).any() for array in arrays)


def holding_nan(live: LiveSignature, model: TracedModel) -> list[str]:
    """Paths of the weights that hold NaN."""
    return [
        v.path
        for v in model.variables
        if v.variable.dtype.is_floating and live.reads(v) and nan_count(to_array(v.variable))
    ]


def _problem(
    signature: str, output: str, count: int, damaged: Sequence[str], *, dead: bool
) -> Problem:
    having = "no finite value" if dead else f"{count} NaN values"
    message = f"Output {output!r} of signature {signature!r} has {having} on seeded inputs"
    if damaged:
        return diverged(message, damaged)
    return Problem(
        code=ExitCode.VERIFY,
        severity=Severity.ERROR if dead else Severity.WARNING,
        message=f"{message}: the inputs are outside of what the model takes, or values overflow.",
        hint="Declare `verify.golden` with real inputs and their outputs.",
    )


def diverged(message: str, damaged: Sequence[str]) -> Problem:
    """`message`, and that it comes of weights that hold NaN."""
    shown = some_of(damaged, 3)
    return Problem(
        code=ExitCode.VERIFY,
        message=f"{message}, and the checkpoint holds NaN in {shown}: training had diverged when "
        "it was saved.",
        hint="Choose an earlier step with `select`. Or declare `verify.golden`, if the model "
        "is used with inputs that do not meet them.",
    )

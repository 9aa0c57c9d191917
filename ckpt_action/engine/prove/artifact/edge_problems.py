"""What is wrong with an artifact's outputs on a probe at the edges, where rounding grows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.spread import inexact
from ckpt_action.errors import ExitCode, Problem, Severity
from ckpt_action.verify import compare

_SCALE, _PART = 1e-3, 1e-2
_APPROXIMATE = 1e-3
"""From this `max-error` on, values are rounded."""
_RANGED = 0.1
"""From this one on, they are rounded for a range that edges are outside of, as int8 is."""


def edge_problems(
    who: str, probe: Probe, outputs: Mapping[str, Array], max_error: float | None
) -> tuple[Problem, ...]:
    """What is wrong with the first output that is not what the model computes there.

    Rounding grows with the values, so what is allowed does: a thousandth of the largest one. What
    was quantised has to be finite where the model is; that most of its values are farther off than
    usual is a warning.
    """
    severity = probe.edge or Severity.ERROR
    approximate = (max_error or 0.0) > _APPROXIMATE
    for name, want in probe.reference.items():
        have = outputs[name]
        if approximate and want.shape == have.shape:
            verdict = compare(_kinds(want), _kinds(have))
        else:
            atol = _SCALE * max(_largest(want), _SCALE) if inexact(want) else None
            verdict = compare(want, have, rtol=_PART, atol=atol)
        if not verdict.passed:
            return (edge_problem(who, probe, f"output {name!r}: {verdict.reason}", severity),)
        if approximate and (far := _far(want, have, max_error or 0.0)):
            return (edge_problem(who, probe, f"output {name!r}: {far}", Severity.WARNING),)
    return ()


def edge_problem(who: str, probe: Probe, difference: str, severity: Severity) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        severity=severity,
        message=f"{who} differs from the restored model on {probe.label} (signature "
        f"{probe.signature!r}): {difference}.",
        hint="Its runtime computes something there in another way. Where such inputs cannot come, "
        "declare `verify.golden` with real ones"
        + (": then this is a warning." if severity is Severity.ERROR else "."),
    )


def _far(want: Array, have: Array, max_error: float) -> str:
    """Whether half of the values are farther off than that part of the largest one; nothing where
    integers were measured for a range that edges are outside of."""
    if max_error >= _RANGED or not inexact(want):
        return ""
    finite = np.isfinite(want) & np.isfinite(have)
    if not finite.any():
        return ""
    off = np.abs(want.astype(np.complex128) - have.astype(np.complex128))[finite]
    typical, allowed = float(np.median(off)), max_error * _largest(want)
    if typical <= allowed:
        return ""
    return f"half of its values are off by more than {typical:.2g}, where {allowed:.2g} is right"


def _kinds(array: Array) -> Array:
    """Infinities and NaN, and zero for all else."""
    if not inexact(array):
        return np.zeros(array.shape)
    return np.where(np.isfinite(array.astype(np.complex128)), np.zeros_like(array), array)


def _largest(array: Array) -> float:
    sizes = np.abs(array.astype(np.complex128))
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))

"""Verdicts on the outputs of one probe, and the sentences that tell a person about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ckpt_action.config.records import Verify
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.spread import Allowance, Key, inexact
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import OutputVerdict
from ckpt_action.verify import Against, agreeing_rows, compare, tolerances


def judge(
    probe: Probe,
    outputs: Mapping[str, Array],
    verify: Verify,
    *,
    against: Against,
    allowed: Mapping[Key, Allowance] = MappingProxyType({}),
) -> tuple[OutputVerdict, ...]:
    """Verdicts on `outputs`, which have every name that the signature declares, against what
    `probe` holds; none against golden values where the probe has none.

    `allowed` is what another runtime, or quantisation, may add: it comes on top of the tolerances.
    """
    expected = probe.reference if against == "reference" else probe.golden or {}
    return tuple(
        replace(
            compare(want, outputs[name], against=against, rtol=rtol, atol=atol),
            signature=probe.signature,
            output=name,
            probe=probe.label,
        )
        for name, want in expected.items()
        for rtol, atol in [_tolerance(want, verify, against, allowed.get((probe.signature, name)))]
    )


def _tolerance(
    want: Array, verify: Verify, against: Against, allowance: Allowance | None
) -> tuple[float | None, float | None]:
    if allowance is None:
        return verify.rtol, verify.atol
    pair = tolerances(str(want.dtype), against, rtol=verify.rtol, atol=verify.atol)
    return (
        allowance.widened(*pair) if against == "reference" else (pair[0], pair[1] + allowance.added)
    )


def with_agreement(
    verdicts: tuple[OutputVerdict, ...], probe: Probe, outputs: Mapping[str, Array]
) -> tuple[OutputVerdict, ...]:
    """`verdicts` against the reference, with the part of rows in which the same class wins."""
    return tuple(
        replace(v, agreement=_agreement(probe.reference[v.output], outputs[v.output]))
        for v in verdicts
    )


def _agreement(want: Array, have: Array) -> float | None:
    """None where there are no rows of scores. An infinite score wins or loses as any other does; a
    row with NaN has no winner and agrees with none."""
    if want.dtype.kind in "iubOc" or want.ndim < 2 or want.shape[-1] < 2 or not want.size:
        return None
    if want.shape != have.shape:
        return 0.0
    scores = np.stack([want.astype(np.float64), have.astype(np.float64)])
    winners = scores.argmax(-1)
    return float(((winners[0] == winners[1]) & ~np.isnan(scores).any((0, -1))).mean())


def error_and_agreement(verdicts: Sequence[OutputVerdict]) -> str:
    """The largest difference from the model, and how many rows have the same winner, in words."""
    against = [v for v in verdicts if v.against == "reference"]
    worst = max((v.max_abs for v in against if v.max_abs is not None), default=0.0)
    return "; ".join(filter(None, (f"Largest difference {worst:.2g}", agreement_words(against))))


def agreement_words(verdicts: Sequence[OutputVerdict]) -> str:
    """How many rows have the same winner; empty where there are no rows of scores."""
    same, rows = agreeing_rows(verdicts)
    return f"the same class wins in {same} of {rows} rows" if rows else ""


def golden_problems(who: str, verdicts: Sequence[OutputVerdict]) -> tuple[Problem, ...]:
    """One problem per output that misses its golden values."""
    return tuple(
        Problem(
            code=ExitCode.VERIFY,
            message=f"{who} does not compute the golden values of output {v.output!r} "
            f"(signature {v.signature!r}): {describe(v)}.",
            hint="Every weight has a value, so look for what weights do not tell: layers of equal "
            "shape in another order, another activation, preprocessing or vocabulary, another "
            "checkpoint.",
        )
        for v in verdicts
        if not v.passed
    )


def tolerance_problems(probes: Sequence[Probe], verify: Verify) -> tuple[Problem, ...]:
    """One warning per output whose every value is below its tolerance: zeros would agree too."""
    return tuple(
        warning(
            ExitCode.VERIFY,
            f"Output {name!r} of signature {probes[0].signature!r} proves nothing: all its "
            "values are smaller than the tolerance, so zeros would agree as well.",
            hint="Choose a smaller `verify.atol`.",
        )
        for name in probes[0].reference
        if all(_small(p, name, verify) for p in probes)
    )


def _small(probe: Probe, name: str, verify: Verify) -> bool:
    against: Against = "reference" if probe.golden is None else "golden"
    values = probe.reference[name]
    if not inexact(values) or not (values != 0).any():
        return False  # compared exactly; zeros, which the sensitivity control answers for
    zeros = np.zeros_like(values)
    return compare(values, zeros, against=against, rtol=verify.rtol, atol=verify.atol).passed


def describe(verdict: OutputVerdict) -> str:
    """Why it failed and by how much, in one line."""
    if verdict.max_abs is None:
        return verdict.reason
    return (
        f"{verdict.reason} (max abs {verdict.max_abs:.3g}, max rel {verdict.max_rel or 0:.3g}, "
        f"worst at {list(verdict.worst_index or ())}; rtol {verdict.rtol:g}, "
        f"atol {verdict.atol:g})"
    )

"""Weights in fewer bits, on inputs that the ordinary probes do not speak for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.artifact.quantised import gentler
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.judgement import describe, judge
from ckpt_action.engine.prove.outputs.spread import allowances
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import OutputVerdict
from ckpt_action.processes.requests import Quantised, VerifyRequest

Run = Callable[[Probe], Mapping[str, Array] | None]


def shown_elsewhere(
    who: str, run: Run, probes: Sequence[Probe], request: VerifyRequest
) -> tuple[str, tuple[Problem, ...]]:
    """Why values that agree on the ordinary probes show too little, and what a person is told;
    empty where they show enough. Golden rows that are many and real say all there is to say."""
    recorded = {p.signature for p in probes if p.golden is not None}
    if request.weak_golden and recorded and (still := _beside(run, probes, request)):
        return f"not shown: {request.weak_golden}, {still}. {_RECORD}", ()
    if request.quantised is None:
        return "", ()
    asked = [p for p in probes if p.scaled and (request.weak_golden or p.signature not in recorded)]
    if request.quantised.how == "int8":
        asked = []  # its ranges were measured, and columns as large as these are outside of them
    for verdict, probe in _missed(run, asked, request):
        words = f"{probe.scaled} (signature {probe.signature!r})"
        return f"not shown: weights may be lost in {request.quantised.how}, those of {words}", (
            _lost(who, request.quantised, words, verdict),
        )
    return "", ()


def _beside(run: Run, probes: Sequence[Probe], request: VerifyRequest) -> str:
    """Where the golden rows are not enough, seeded ones decide as without a golden file."""
    beside = [p for p in probes if p.beside]
    if not beside:
        return "and no seeded ones were run"
    for verdict, probe in _missed(run, beside, request):
        difference = f"output {verdict.output!r} on {probe.label}: {describe(verdict)}"
        return f"and seeded ones are too far off: {difference}"
    return ""


_RECORD = "Record more real rows in `verify.golden`, others than those of `representative-data`"


def _missed(
    run: Run, probes: Sequence[Probe], request: VerifyRequest
) -> Iterator[tuple[OutputVerdict, Probe]]:
    allowed = allowances(probes, request.max_error)
    for probe in probes:
        outputs = run(probe)
        if outputs is None:
            return  # told already
        verdicts = judge(probe, outputs, request.verify, against="reference", allowed=allowed)
        yield from ((v, probe) for v in verdicts if not v.passed)


def _lost(who: str, quantised: Quantised, words: str, verdict: OutputVerdict) -> Problem:
    ways = ["scale the inputs in the model (as a Normalization layer does)"]
    if other := gentler(quantised.how):
        ways.append(f"quantise to {other}")
    ways.append("declare `verify.golden` with some dozen real rows, which then decide")
    return warning(
        ExitCode.VERIFY,
        f"{who} may have lost weights in {quantised.how}: the model's outputs move with {words} as "
        "they do with the other columns, and there the artifact does not compute what the model "
        f"does: output {verdict.output!r}: {describe(verdict)}.",
        hint="Weights of columns with much larger numbers are much smaller than others, and few "
        f"bits do not hold both. Either {'; or '.join(ways)}.",
    )

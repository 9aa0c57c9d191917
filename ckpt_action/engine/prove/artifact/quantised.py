"""An artifact that was quantised and is too far from the model: by how much, and what helps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from ckpt_action.engine.prove.artifact.findings import NOT_TO_BE_USED
from ckpt_action.engine.prove.outputs.judgement import agreement_words, describe
from ckpt_action.engine.prove.outputs.spread import Allowance, Key
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import OutputVerdict
from ckpt_action.processes.requests import Quantised

_GENTLER = {
    "int8": "`float16` or `dynamic-range`",
    "dynamic-range": "`float16`",
    "uint8": "`float16` or `uint16`",
    "uint16": "`float16`",
}


def gentler(how: str) -> str:
    """Ways of quantising that lose less; empty where there is none."""
    return _GENTLER.get(how, "")


def quantised_problems(
    who: str,
    quantised: Quantised | None,
    verdicts: Sequence[OutputVerdict],
    allowed: Mapping[Key, Allowance],
) -> tuple[Collection[Key], list[Problem]]:
    """The outputs that are too far away, and a problem for each. Not those that are no answer at
    all: of another shape, not finite, or farther away than any answer is."""
    if quantised is None:
        return (), []
    problems: dict[Key, Problem] = {}
    for key, allowance in allowed.items():
        own = [v for v in verdicts if (v.signature, v.output) == key]
        if any(not v.passed for v in own) and _is_an_answer(own, allowance):
            problems[key] = _problem(who, quantised, own, allowance)
    return problems.keys(), list(problems.values())


def _is_an_answer(verdicts: Sequence[OutputVerdict], allowance: Allowance) -> bool:
    return all(
        not v.nan_count and not v.inf_count and v.atol < (v.max_abs or 0.0) < allowance.spread
        for v in verdicts
        if not v.passed
    )


def _problem(
    who: str, quantised: Quantised, verdicts: Sequence[OutputVerdict], allowance: Allowance
) -> Problem:
    failed = [v for v in verdicts if not v.passed]
    moved: dict[str, float] = {}
    for v in failed:
        part = (v.max_abs or 0.0) / allowance.spread
        moved[v.against] = max(part, moved.get(v.against, 0.0))
    names = {"reference": "the restored model", "golden": "its golden values"}
    far = " and ".join(f"{part:.2g} from {names[against]}" for against, part in moved.items())
    whose = f"the default of {quantised.how}" if quantised.default else "as declared"
    rows = agreement_words(verdicts)
    which = f"output {failed[0].output!r} (signature {failed[0].signature!r})"
    return Problem(
        code=ExitCode.VERIFY,
        message=f"{who}, quantised to {quantised.how}, moves {which} too far, in parts of the "
        f"output's spread: {far}. `max-error` allows {allowance.part:g}, {whose}"
        f"{f'; {rows}' if rows else ''}.",
        hint=_advice(quantised.how, max(moved.values())),
        details=tuple(f"{v.probe}: {describe(v)}" for v in failed),
    )


def _advice(how: str, moved: float) -> str:
    ways = ["more varied `representative-data`"] if how == "int8" else []
    ways += ["train on"]
    if other := gentler(how):
        ways.append(f"quantise to {other}")
    return (
        f"{NOT_TO_BE_USED} What may help: {', '.join(ways)}. If it is good enough for its use, "
        f"declare `max-error = {rounded_up(moved):g}` for this target."
    )


def rounded_up(part: float) -> float:
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(part)) - 1)
    return float(f"{math.ceil(part / unit) * unit:.2g}")

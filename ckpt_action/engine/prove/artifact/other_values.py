"""An artifact that computes something else than the model: where it is worst, why, what helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ckpt_action.engine.prove.artifact.quantised import rounded_up
from ckpt_action.engine.prove.outputs.judgement import describe
from ckpt_action.engine.prove.outputs.spread import Allowance, Key
from ckpt_action.outcome import OutputVerdict

_ROUNDED = {"float16": 2**-6, "bfloat16": 2**-3}
"""The part of an output's spread that rounding may add up to: sixteen times that of one value."""
_OTHER_WAY = (
    "The converter of this format, or its runtime, computes something in another way than "
    "TensorFlow. Export the model in another format."
)


def other_values(
    verdicts: Sequence[OutputVerdict], allowed: Mapping[Key, Allowance], half: str
) -> Iterator[tuple[str, str]]:
    """What is wrong and what to do, once for each output of the failed `verdicts`.

    `half`: a float of 16 bits that the model computes in; empty where it does not.
    """
    by_output: dict[Key, list[OutputVerdict]] = {}
    for verdict in verdicts:
        by_output.setdefault((verdict.signature, verdict.output), []).append(verdict)
    for key, own in by_output.items():
        worst = max(own, key=_size)
        probes = f"{len(own)} probes, the worst {worst.probe}" if own[1:] else worst.probe
        what = (
            f"computes another {worst.output!r} than the restored model (signature "
            f"{worst.signature!r}, {probes}): {describe(worst)}"
        )
        yield what, _advice(own, allowed.get(key), half)


def _size(verdict: OutputVerdict) -> float:
    """Of its difference; NaN and another shape are the worst that there is."""
    broken = verdict.max_abs is None or verdict.nan_count or verdict.inf_count
    return float("inf") if broken else verdict.max_abs or 0.0


def _advice(verdicts: Sequence[OutputVerdict], allowance: Allowance | None, half: str) -> str:
    spread = allowance.spread if allowance else 0.0
    moved = max(map(_size, verdicts)) / spread if spread else float("inf")
    if not half or moved > _ROUNDED[half]:
        return _OTHER_WAY
    return (
        f"The model computes in {half}, as a policy of mixed precision lets it, and each runtime "
        "rounds that in its own way. Build it with the dtype policy `float32` (checkpoints of "
        "mixed precision hold float32 anyway), or, if this is good enough for its use, declare "
        f"`max-error = {rounded_up(moved):g}` for this target."
    )

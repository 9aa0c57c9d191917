"""Whether a signature gives the same outputs when it is run and when it is traced again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import Proof


@dataclass(frozen=True, kw_only=True)
class Steadiness:
    """What a signature gives again: `retraced` is asked only where it is `repeated`."""

    repeated: bool
    retraced: bool

    @property
    def whole(self) -> bool:
        return self.repeated and self.retraced


def steadiness(live: LiveSignature, drawn: Sequence[Probe], found: tuple[Probe, ...]) -> Steadiness:
    """`found` are all probes, `drawn` those of the first sizes. Where no operation draws random
    numbers, the smallest of these is enough."""
    smallest = min(drawn, key=size_of)
    again = found if live.random else (smallest,)
    repeated = all(live.repeats(p.inputs, p.reference) for p in again)
    return Steadiness(repeated=repeated, retraced=not repeated or live.retraces(found))


def deterministic(signature: str, steady: Steadiness) -> Proof:
    return Proof(
        name="deterministic",
        passed=steady.whole,
        detail=f"signature {signature}, run again",
        signature=signature,
    )


def unsteady(signature: str, steady: Steadiness) -> tuple[Problem, ...]:
    if not steady.repeated:
        return (_random(signature),)
    return () if steady.retraced else (_drawn_in_python(signature),)


def _random(signature: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} gives different outputs for the same inputs.",
        hint="Something draws random numbers at inference: dropout or noise left on "
        "(`training=True` inside the model's code), or sampling that needs a fixed seed.",
    )


def _drawn_in_python(signature: str) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        message=f"Signature {signature!r} computes something else each time it is traced.",
        hint="Its code draws numbers with NumPy or Python, reads the clock or counts its calls: "
        "what comes out is a constant in the artifact. Leave that to training, or use TensorFlow "
        "ops.",
    )

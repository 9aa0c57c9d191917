"""The parameters of a method that put it into inference mode."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import Parameter

from ckpt_action.config.records import Signature
from ckpt_action.engine.switches import inference_value, says_training
from ckpt_action.errors import ExitCode, Problem, Severity, note

TRAINING_ARGUMENTS = ("training", "is_training")
"""Parameters by which a callable is told, with False, that it is not being trained."""


def switched(taken: Sequence[Parameter], signature: Signature) -> dict[str, bool]:
    """What is passed beside the inputs, of the parameters `taken` by the method of `signature`."""
    free = _beside_inputs(taken, signature)
    found = {p.name: False for p in free if p.name in TRAINING_ARGUMENTS}
    return found | _by_default(free)


def switch_problems(
    taken: Sequence[Parameter], signature: Signature, *, golden: bool
) -> tuple[Problem, ...]:
    """A note of what is passed without being sure; an error for a default that means training and
    has no sure counterpart, unless a golden file will tell."""
    free = _beside_inputs(taken, signature)
    problems = [_trains(p, signature, golden=golden) for p in free if says_training(p.default)]
    switches = _by_default(free)
    if switches:
        shown = ", ".join(f"{name}={value}" for name, value in switches.items())
        problems.append(
            note(
                ExitCode.SIGNATURE,
                f"signature {signature.name} calls `{signature.method}` with {shown}, taken "
                "for its switch to inference mode.",
                hint="Name another `method` where it means something else.",
            )
        )
    return tuple(problems)


def _beside_inputs(taken: Sequence[Parameter], signature: Signature) -> list[Parameter]:
    inputs = {spec.name for spec in signature.inputs}
    return [p for p in taken if p.name not in inputs and p.kind != p.POSITIONAL_ONLY]


def _by_default(free: Sequence[Parameter]) -> dict[str, bool]:
    """Other names than the usual are taken for switches where the default is a truth value."""
    return {
        p.name: value
        for p in free
        if p.name not in TRAINING_ARGUMENTS and isinstance(p.default, bool)
        if (value := inference_value(p.name)) is not None
    }


def _trains(parameter: Parameter, signature: Signature, *, golden: bool) -> Problem:
    default = parameter.default
    shown = repr(default) if isinstance(default, str) else str(default)
    return Problem(
        code=ExitCode.SIGNATURE,
        severity=Severity.WARNING if golden else Severity.ERROR,
        message=f"signature {signature.name} would call `{signature.method}` with "
        f"{parameter.name}={shown}, its default, which says that the model is being trained.",
        hint=f"Declare as `method` one that passes the {parameter.name} of inference, or make that "
        "the default" + ("." if golden else "; a golden file would settle it."),
    )

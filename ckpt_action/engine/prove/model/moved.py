"""What the outputs move with: where they stay, they say nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature, close
from ckpt_action.engine.prove.model.signature_proof import signature_proof
from ckpt_action.engine.prove.outputs.spread import inexact
from ckpt_action.engine.records import ModelVariable, TracedModel
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.outcome import Proof

INPUTS = "the inputs"


def unmoved(live: LiveSignature, model: TracedModel, probes: Sequence[Probe]) -> list[str]:
    """What can change without any output leaving its tolerance.

    Tried: the inputs, the first and the last floating-point variable that the signature reads.
    """
    found = []
    smallest = min(probes, key=size_of)
    if smallest.inputs and not _inputs_move(live, probes):
        found.append(INPUTS)
    floats = [v for v in model.variables if v.variable.dtype.is_floating and live.reads(v)]
    floats = [v for v in floats if v.variable.shape.num_elements()]
    for variable in floats[:1] + floats[1:][-1:]:
        with perturbed(variable):
            if close(live.run(smallest.inputs), smallest.reference):
                found.append(variable.path)
    return found


def sensitive(signature: str, still: list[str]) -> Proof:
    if not still:
        return Proof(
            name="sensitive", passed=True, detail=f"signature {signature}", signature=signature
        )
    return signature_proof(
        "sensitive",
        signature,
        None,
        f"not verifiable by outputs, which do not move with {', '.join(still)}; stored bytes alone "
        "answer for the weights",
    )


def same_for_all(signature: str, *, recorded: bool) -> Problem:
    """Where `unmoved` names the inputs; `recorded`: they were a golden file's."""
    return warning(
        ExitCode.VERIFY,
        f"Signature {signature!r} gives the same outputs for all inputs that were tried.",
        hint="A network whose units are all off, or that is saturated, does so, and one that its "
        "inputs do not reach. "
        + (
            "Record other inputs, which the trained model tells apart."
            if recorded
            else "If the trained model tells inputs apart, `verify.golden` with such ones shows it."
        ),
    )


@contextmanager
def perturbed(variable: ModelVariable) -> Iterator[None]:
    """Another value for as long as the context lasts."""
    raw = variable.variable
    value = raw.numpy()
    try:
        raw.assign((value * 1.05 + 0.02).astype(value.dtype))
        yield
    finally:
        raw.assign(value)


def _inputs_move(live: LiveSignature, probes: Sequence[Probe]) -> bool:
    """A mean over words stays when they are reversed, and so does a single number: then other rows,
    or equal words, may move it. Integers come from the same probe, as an embedding refuses others.
    """
    if any(_moves(live, probe, change) for probe, change in _nudges(probes)):
        return True
    return any(_tell_apart(one, other) for one, other in itertools.combinations(probes, 2))


_Change = Callable[[Array], Array]


def _nudges(probes: Sequence[Probe]) -> Iterator[tuple[Probe, _Change]]:
    by_size = sorted(probes, key=size_of)
    rows = (p for p in by_size if all(len(a) > 1 for a in p.inputs.values() if a.ndim))
    several = next(rows, by_size[0])
    yield by_size[0], _reversed
    if several is not by_size[0]:
        yield several, _reversed
    yield several, _all_as_the_first


def _moves(live: LiveSignature, probe: Probe, change: _Change) -> bool:
    """Floats by a few percent, anything else by `change`; what the model refuses shows nothing."""
    inputs = {
        name: change(value) if not inexact(value) else (value * 1.05 + 0.02).astype(value.dtype)
        for name, value in probe.inputs.items()
    }
    outputs = live.answer(inputs)
    return outputs is not None and not close(outputs, probe.reference)


def _reversed(value: Array) -> Array:
    return np.reshape(np.flip(value.reshape(-1)), value.shape)


def _all_as_the_first(value: Array) -> Array:
    return np.resize(value.reshape(-1)[:1], value.shape)


def _tell_apart(one: Probe, other: Probe) -> bool:
    """Whether inputs of equal sizes have other outputs."""
    alike = all(a.shape == other.inputs[name].shape for name, a in one.inputs.items())
    return alike and not close(one.reference, other.reference)

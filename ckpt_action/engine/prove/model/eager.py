"""Whether the traced signature computes what the model does when Python calls it.

Tracing runs Python once: a loop over what has no size yet, a condition on values, a layer that is
wrong in graphs. The graph is then another model than the one that was trained and tried by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from ckpt_action.config.records import Verify
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.prove.inputs.cuts import telling
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.grown import grown
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.numbers import diverged, holding_nan, number_problems
from ckpt_action.engine.prove.model.signature_proof import signature_proof
from ckpt_action.engine.prove.outputs.judgement import describe, judge
from ckpt_action.engine.prove.outputs.spread import Allowance, Key, allowances
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import ExitCode, Problem, Severity, first_line
from ckpt_action.outcome import Proof

_proof = partial(signature_proof, "eager")

_ROUNDING = 1e-2
"""Half precision is rounded elsewhere in a graph; as part of how far values lie apart."""


def like_eager(
    live: LiveSignature, model: TracedModel, probes: Sequence[Probe], *, steady: bool
) -> tuple[tuple[Proof, ...], tuple[Problem, ...]]:
    """Nothing where there is no code to call; `steady`: every call gives the same outputs.

    A golden file tells which of two answers is right: then a difference on its inputs is a warning.
    """
    if not live.has_code:
        return (), ()
    name = live.record.name
    if not steady:
        return (_proof(name, None, "Python was not asked, as each call gives other outputs"),), ()
    larger = grown(live, probes)
    called, failures = _called(live, (*_telling(live, probes), *larger.probes))
    allowed = {
        beside: allowances([p for p in (*probes, *larger.probes) if p.beside is beside], _ROUNDING)
        for beside in (False, True)
    }
    for probe, outputs in called:
        said = _difference(probe, outputs, allowed[probe.beside])
        if said and _golden_decides(live, probes, allowed[False]):
            return (_proof(name, None, f"not shown: {said}; the golden values decide"),), (
                _other(name, said, Severity.WARNING),
            )
        if said:
            return (_proof(name, False, said),), _wrong(live, model, probes, said)
    failures += larger.left
    if failures:
        return (_proof(name, None, f"not compared with Python: {failures[0]}"),), ()
    shown = f"the same outputs where Python calls the model, on {len(called)} probes"
    return (_proof(name, True, shown),), ()


def _telling(live: LiveSignature, probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """Of those beside golden inputs too, for either may show what the others do not."""
    beside = [p for p in probes if p.beside]
    real = telling(live.record, [p for p in probes if not p.beside])
    return real + (telling(live.record, beside) if beside else ())


def _wrong(
    live: LiveSignature, model: TracedModel, probes: Sequence[Probe], said: str
) -> tuple[Problem, ...]:
    """Of weights that hold NaN, where nothing has to be wrong with the code: an operation makes
    another number of it in a graph. Where the outputs hold NaN too, that is told of already."""
    name = live.record.name
    if "NaN" not in said or not (damaged := holding_nan(live, model)):
        return (_other(name, said, Severity.ERROR),)
    if number_problems(live, model, probes):
        return ()
    return (diverged(f"Where Python calls signature {name!r}, {said}", damaged),)


_Outputs = Mapping[str, Array]


def _called(
    live: LiveSignature, probes: Sequence[Probe]
) -> tuple[list[tuple[Probe, _Outputs]], list[str]]:
    """What Python's calls give, and why others give nothing; a size that the model refuses is none
    of its sizes."""
    called: list[tuple[Probe, _Outputs]] = []
    failures = []
    for probe in probes:
        try:
            outputs = live.eagerly(probe.inputs)
        except Exception as error:  # anything may come out of the model's code
            if out_of_memory(error):
                raise
            if not probe.cut:
                failures.append(f"called on {probe.label}, {_failed(error)}")
            continue
        if outputs.keys() == probe.reference.keys():
            called.append((probe, outputs))
        else:
            failures.append(f"called there, the model returns {', '.join(sorted(outputs))}")
    return called, failures


def _failed(error: Exception) -> str:
    return f"the model raises {type(error).__name__}: {first_line(error):.200}"


def _difference(probe: Probe, outputs: _Outputs, allowed: Mapping[Key, Allowance]) -> str:
    """Empty where there is none."""
    verdicts = judge(probe, outputs, Verify(), against="reference", allowed=allowed)
    wrong = next((v for v in verdicts if not v.passed), None)
    return f"output {wrong.output!r} on {probe.label}: {describe(wrong)}" if wrong else ""


def _golden_decides(
    live: LiveSignature, probes: Sequence[Probe], allowed: Mapping[Key, Allowance]
) -> bool:
    """Whether the answers differ on the golden inputs too, of which the right ones are known."""
    called, _ = _called(live, [p for p in probes if p.golden is not None])
    return any(_difference(probe, outputs, allowed) for probe, outputs in called)


def _other(signature: str, said: str, severity: Severity) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        severity=severity,
        message=f"signature {signature} computes something else as a graph than where Python calls "
        f"the model with the same inputs: {said}.",
        hint="Python runs once while a graph is traced. Look for loops over `len(x)` or `x.shape`, "
        "conditions on values or on `tf.executing_eagerly()`, and attributes that the call sets; "
        "or for a layer that is wrong in graphs, and another version of Keras."
        + ("" if severity is Severity.WARNING else " A golden file tells which one is right."),
    )

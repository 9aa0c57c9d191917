"""Whether the checkpoint alone decides what the model computes, beside its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.signature_proof import signature_proof
from ckpt_action.engine.trace.turned import order_decides
from ckpt_action.engine.trace.twin import NO_CODE
from ckpt_action.errors import ExitCode, Problem, Severity
from ckpt_action.outcome import Proof

_proof = partial(signature_proof, "origin")


def origin(
    live: LiveSignature, probes: Sequence[Probe], untwinned: str
) -> tuple[Proof, tuple[Problem, ...]]:
    """What the comparison with the twin shows; `untwinned` says why there is none, or why an equal
    one shows nothing.

    A golden file that tells the two apart has the last word: then a difference is a warning. One on
    whose inputs they are alike says nothing of it.
    """
    name = live.record.name
    golden = [probe for probe in probes if probe.golden is not None]
    if live.twin is None:
        proof = _without_difference(live, untwinned)
        if live.turned is None or not proof.passed or live.like_turned(probes):
            return proof, ()
        if golden and not live.like_turned(golden):
            told = f"not shown: {live.turned.difference}; the golden values decide"
            return _proof(name, None, told), ()
        proof = _proof(name, None, f"not shown: {live.turned.difference}")
        return replace(proof, beyond_golden=True), (order_decides(name, live.turned),)
    difference = live.twin.difference
    if live.like_twin(probes):
        detail = f"not shown: {difference}, with the same outputs on {len(probes)} probes"
        kept = _kept(name, difference, outputs="stay the same")
        return replace(_proof(name, None, detail), beyond_golden=True), (kept,)
    if golden and not live.like_twin(golden):
        detail = f"not shown: {difference}; the golden values decide"
        return _proof(name, None, detail), (_kept(name, difference, outputs="are different"),)
    where = "are different, though not on the golden inputs" if golden else "are different"
    kept = _kept(name, difference, outputs=where, severity=Severity.ERROR)
    return _proof(name, False, difference), (kept,)


def _without_difference(live: LiveSignature, untwinned: str) -> Proof:
    name = live.record.name
    if live.noise:
        return _proof(name, None, f"not shown: {live.noise[0]} adds random numbers by a seed")
    if untwinned == NO_CODE:
        return _proof(name, True, f"{untwinned}: its graph is in the files")
    if untwinned:
        return _proof(name, None, f"not shown: {untwinned}")
    return _proof(name, True, "the same graph where the code finds the restored values")


def _kept(
    signature: str, difference: str, *, outputs: str, severity: Severity | None = None
) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        severity=severity or Severity.WARNING,
        message=f"signature {signature} depends on more than the checkpoint: {difference} when "
        "the model is made again with the restored values in place. On the probes its outputs then "
        f"{outputs}.",
        hint="The code reads a variable, or draws a number, when it makes the model or when it is "
        "first called, and keeps the result. Compute it in the method itself; save what is random "
        "in a variable, or give it a seed."
        + (
            ""
            if severity
            else " A golden file tells whether it matters, where its inputs make a difference."
        ),
    )

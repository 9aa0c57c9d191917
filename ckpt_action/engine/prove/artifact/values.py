"""What an artifact computes, held against the restored model and the golden file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.artifact.elsewhere import shown_elsewhere
from ckpt_action.engine.prove.artifact.findings import Findings
from ckpt_action.engine.prove.artifact.other_values import other_values
from ckpt_action.engine.prove.artifact.quantised import quantised_problems
from ckpt_action.engine.prove.artifact.same_signature import value_differences
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.columns import lost_columns, without_columns
from ckpt_action.engine.prove.outputs.judgement import (
    error_and_agreement,
    golden_problems,
    judge,
    with_agreement,
)
from ckpt_action.engine.prove.outputs.spread import Allowance, Key, allowances
from ckpt_action.engine.prove.outputs.trivial import in_words, trivially_passed
from ckpt_action.engine.records import Artifact
from ckpt_action.errors import first_line
from ckpt_action.outcome import OutputVerdict
from ckpt_action.processes.requests import VerifyRequest


def check_values(
    artifact: Artifact, probes: Sequence[Probe], request: VerifyRequest, found: Findings
) -> None:
    """Run all of `probes`, and put into `found` what comes of it."""
    if found.is_excused("values"):
        return
    before = len(found.problems)
    plain = [p for p in probes if not p.beside and not p.scaled]
    allowed = allowances(plain, request.max_error)
    outputs = [_run(artifact, probe, found) for probe in plain]
    for probe, values in zip(plain, outputs, strict=True):
        if values is not None:
            found.verdicts += _verdicts(probe, values, request, allowed)
    verdicts = tuple(found.verdicts)
    beside = [p for p in probes if p.beside and request.quantised is None]
    _judge_beside(artifact, beside, request, found)
    _say_what_failed(request, found, allowed)
    loosened = request.max_error is not None
    if len(found.problems) == before:
        still = _not_shown(artifact, plain, outputs, verdicts, loosened=loosened)
        if not still:
            run = partial(_run, artifact, found=found)
            still, told = shown_elsewhere(found.who, run, probes, request)
            found.problems += told
        if still:
            found.leave_open("values", still)
            return
    if any(p.reference for p in plain):
        shown = f"{len(plain) + len(beside)} probes against the restored model"
        if loosened:
            shown += f". {error_and_agreement(found.verdicts)}"
        found.prove("values", before, ". ".join((shown, *artifact.notes())))
    if any(p.golden for p in plain):
        found.prove("golden", before, "the recorded outputs")


def _verdicts(
    probe: Probe,
    outputs: Mapping[str, Array],
    request: VerifyRequest,
    allowed: Mapping[Key, Allowance],
) -> tuple[OutputVerdict, ...]:
    reference = judge(probe, outputs, request.verify, against="reference", allowed=allowed)
    if request.agreement:
        reference = with_agreement(reference, probe, outputs)
    return reference + judge(probe, outputs, request.verify, against="golden", allowed=allowed)


def _judge_beside(
    artifact: Artifact, probes: Sequence[Probe], request: VerifyRequest, found: Findings
) -> None:
    """Seeded inputs beside golden ones, each kind by the spread of its own outputs."""
    allowed = allowances(probes, request.max_error)
    for probe in probes:
        values = _run(artifact, probe, found)
        if values is not None:
            found.verdicts += judge(
                probe, values, request.verify, against="reference", allowed=allowed
            )


def _say_what_failed(
    request: VerifyRequest, found: Findings, allowed: Mapping[Key, Allowance]
) -> None:
    """Once for each output."""
    told, problems = quantised_problems(found.who, request.quantised, found.verdicts, allowed)
    found.problems += problems
    left = [v for v in found.verdicts if not v.passed and (v.signature, v.output) not in told]
    others = [v for v in left if v.against == "reference"]
    for what, hint in other_values(others, allowed, request.half):
        found.fail(what, hint)
    found.problems += golden_problems(found.who, [v for v in left if v.against == "golden"])


def _not_shown(
    artifact: Artifact,
    probes: Sequence[Probe],
    outputs: Sequence[Mapping[str, Array] | None],
    verdicts: Sequence[OutputVerdict],
    *,
    loosened: bool,
) -> str:
    """Why values that agree show nothing; empty where they do."""
    uncut = [p for p in probes if not p.cut]
    if trivial := trivially_passed(uncut, verdicts, loosened=loosened):
        return in_words(trivial)
    if lost := lost_columns(probes, outputs) if loosened else {}:
        return without_columns(lost)
    if other := artifact.stand_in():
        detail = f"not shown by the format's own runtime: {other} read it back"
        return ". ".join((detail, *artifact.notes()))
    return ""


def _run(artifact: Artifact, probe: Probe, found: Findings) -> dict[str, Array] | None:
    """Outputs with exactly the expected names; None, and a problem, where that fails. One for each
    that has another shape than the files declare."""
    try:
        outputs = dict(artifact.run(probe.signature, probe.inputs))
    except (tf.errors.OpError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, tf.errors.ResourceExhaustedError):
            raise
        found.fail(
            f"cannot run signature {probe.signature!r} on {probe.label}: {first_line(error)}"
        )
        return None
    expected = (probe.reference or probe.golden or {}).keys()
    if outputs.keys() != expected:
        found.fail(f"returns outputs {sorted(outputs)}, expected {sorted(expected)}")
        return None
    (declared,) = (s for s in artifact.signatures() if s.name == probe.signature)
    for difference in value_differences(declared, outputs):
        found.fail(
            f"declares another shape than it computes (signature {probe.signature!r}, "
            f"{probe.label}): {difference}"
        )
    return outputs

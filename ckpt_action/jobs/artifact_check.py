"""What a child is asked about an artifact, and what has to be shown of every one."""

from __future__ import annotations

from pathlib import Path

from ckpt_action.config.records import Model
from ckpt_action.errors import ExitCode, Problem, exit_code
from ckpt_action.outcome import ArtifactOutcome
from ckpt_action.processes.requests import ExportResult, VerifyRequest, quantised

_NEEDED = ("signature", "payload", "values")
"""Proofs without which an artifact fails."""


def verify_request(
    model: Model, result: ExportResult, artifact: ArtifactOutcome, written: Path, probes: Path
) -> VerifyRequest:
    """`written`: the artifact's folder; `probes`: the file with inputs and the live outputs."""
    digests = {v.path: v.sha256 for v in result.variables}
    target = model.target(artifact.name)
    apart = {*artifact.unread, *artifact.transformed}
    return VerifyRequest(
        format=artifact.format,
        name=artifact.name,
        folder=written,
        signatures=result.signatures,
        variables={p: digests[p] for p in result.captured if p not in apart},
        transformed=artifact.transformed,
        rearranged=artifact.rearranged,
        max_error=artifact.max_error,
        quantised=quantised(target),
        half=result.half,
        weak_golden=artifact.weak_golden,
        unproven=artifact.unproven,
        payloads=artifact.payloads,
        agreement=artifact.max_error is not None or target.min_agreement is not None,
        latency=target.max_latency is not None,
        verify=model.verify,
        probes=probes,
        op_libraries=model.op_libraries,
    )


def unproven(artifact: ArtifactOutcome) -> tuple[Problem, ...]:
    """Failing is the default: what no proof speaks of fails the artifact, whatever was said."""
    shown = {proof.name for proof in artifact.proofs if proof.passed is not False}
    missing = [name for name in _NEEDED if name not in {*shown, *artifact.unproven}]
    lacking = sorted({*missing, *(p.name for p in artifact.proofs if p.passed is False)})
    if exit_code(artifact.problems) or not lacking:
        return ()
    return (
        Problem(
            code=ExitCode.VERIFY,
            message=f"Artifact {artifact.name!r} was not proven: {', '.join(lacking)}.",
        ),
    )

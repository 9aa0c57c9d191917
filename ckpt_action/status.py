"""Whether what came out is proven: the verdict on an artifact, a model and a run."""

from __future__ import annotations

from enum import Enum

from ckpt_action.outcome import ArtifactOutcome, JobOutcome, Run

ALWAYS_ASKED = frozenset({"origin", "eager", "sensitive", "branches", "layers", "statistics"})
"""Proofs that every model should give; the others depend on what is declared."""
_GOLDEN_DECIDES = frozenset({"origin", "layers", "statistics"})
"""Open proofs that leave a model unproven, unless golden values of the signature agree."""
_NEEDED = frozenset({"signature", "payload"})
"""Proofs that every artifact gives, or says why it cannot, beside the comparison of its values."""


class Status(str, Enum):
    """How an artifact, a model or a run ended; only `PROVEN` is good."""

    PROVEN = "proven"
    UNPROVEN = "not proven"
    """Written, and nothing failed, but its values were not compared either."""
    FAILED = "failed"


def artifact_status(artifact: ArtifactOutcome) -> Status:
    if not artifact.passed:
        return Status.FAILED
    return Status.UNPROVEN if _not_compared(artifact) else Status.PROVEN


def _not_compared(artifact: ArtifactOutcome) -> str:
    """Why the artifact's values are not proven; empty where every signature was compared."""
    reasons = [p.detail for p in artifact.proofs if p.name == "values" and p.passed is None]
    if reasons or "values" in artifact.unproven:
        return f"values of {artifact.name}: {(*reasons, artifact.unproven.get('values'))[0]}"
    compared = {verdict.signature for verdict in artifact.verdicts}
    left = [s.name for s in artifact.signatures if s.name not in compared]
    if compared and not left:
        return _beside_values(artifact)
    which = f", signature {', '.join(left)}" if compared else ""
    return f"values of {artifact.name}{which}: not compared with anything, only bytes were"


def _beside_values(artifact: ArtifactOutcome) -> str:
    """Gaps that no export leaves, and somebody else's manifest may have."""
    if lacking := sorted(_NEEDED - {proof.name for proof in artifact.proofs}):
        return f"{' and '.join(lacking)} of {artifact.name}: never compared"
    if max(artifact.max_error or 0.0, *(v.rtol for v in artifact.verdicts)) >= 1:
        return f"values of {artifact.name}: a tolerance of their whole size lets any pass"
    return ""


def not_shown(job: JobOutcome) -> tuple[str, ...]:
    """What no proof speaks for although nothing failed: of the model, and of each artifact."""
    model = [p.detail for p in job.proofs if p.passed is None and p.name in ALWAYS_ASKED]
    made = [a for a in job.artifacts if a.passed and a.files]
    return (
        *model,
        *(text for artifact in made if (text := _not_compared(artifact))),
        *(text for artifact in made if (text := _not_held(job, artifact))),
    )


def _not_held(job: JobOutcome, artifact: ArtifactOutcome) -> str:
    """Why nothing speaks for the artifact's weights; empty where outputs or stored bytes do."""
    if all(p.passed is not None for p in job.proofs if p.name == "sensitive"):
        return ""
    held = any(p.name == "payload" and p.passed for p in artifact.proofs)
    if held and not artifact.transformed:
        return ""
    return f"weights of {artifact.name}: outputs do not move with them, nor are their bytes in it"


def _of_other_origin(job: JobOutcome) -> bool:
    """Whether something else than what was trained may reach outputs that no golden file tells."""
    golden = {v.signature for v in job.verdicts if v.against == "golden"}
    return any(
        p.name in _GOLDEN_DECIDES
        and p.passed is None
        and (p.beyond_golden or p.signature not in golden)
        for p in job.proofs
    )


def job_status(job: JobOutcome) -> Status:
    """Of a model: failed where anything about it failed, or where nothing was written."""
    if not job.passed:
        return Status.FAILED
    parts = [artifact_status(artifact) for artifact in job.artifacts]
    unheld = any(_not_held(job, artifact) for artifact in job.artifacts)
    unproven = Status.UNPROVEN in parts or unheld or _of_other_origin(job)
    return Status.UNPROVEN if unproven else Status.PROVEN


def run_status(run: Run) -> Status:
    jobs = [job_status(job) for job in run.jobs]
    if run.exit_code or not jobs or Status.FAILED in jobs:
        return Status.FAILED
    return Status.UNPROVEN if Status.UNPROVEN in jobs else Status.PROVEN

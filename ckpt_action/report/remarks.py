"""What a reader should know beside the verdict: why this checkpoint, how close, what stays open."""

from __future__ import annotations

from collections.abc import Sequence

from ckpt_action.outcome import ArtifactOutcome, JobOutcome

NO_GOLDEN = (
    "not checked: that the code is the one of the training (order of layers of equal shape "
    "and of inputs in a list, activations, preprocessing); record a golden file"
)
_TOLD = 0.1
"""Of what `max-error` allows: from here on it is told."""


def remarks(job: JobOutcome) -> tuple[str, ...]:
    """A line for each."""
    made = [artifact for artifact in job.artifacts if artifact.passed]
    lines = [f"{placed}, in {job.name}/"] if (placed := passed_targets([job])) else []
    lines += [line for artifact in made if (line := _closeness(artifact))]
    return (*lines, NO_GOLDEN) if made and _from_code_alone(job) else tuple(lines)


def passed_targets(jobs: Sequence[JobOutcome]) -> str:
    """How many targets passed and were placed; empty where none did, or all."""
    targets = [
        artifact.passed and bool(artifact.files) for job in jobs for artifact in job.artifacts
    ]
    if not any(targets) or all(targets):
        return ""
    return f"{sum(targets)} of {len(targets)} targets passed"


def _closeness(artifact: ArtifactOutcome) -> str:
    """By how much an artifact differs, of how much it may by its `max-error`, where that is told
    of: from a tenth on."""
    found = [
        (verdict.max_abs, verdict.atol)
        for verdict in artifact.verdicts
        if verdict.against == "reference" and verdict.max_abs is not None and verdict.atol
    ]
    if artifact.max_error is None or not found:
        return ""
    most, allowed = max(found, key=lambda pair: pair[0] / pair[1])
    if most < _TOLD * allowed:
        return ""
    return (
        f"{artifact.name} differs from the model by {most:.2g} of the {allowed:.2g} that its "
        f"`max-error` of {artifact.max_error:g} allows"
    )


def _from_code_alone(job: JobOutcome) -> bool:
    """Whether the repository's code says what is computed, and nothing recorded confirms it."""
    golden = any(proof.name == "golden" and proof.passed for proof in job.proofs)
    return bool(job.entry_point) and not golden

"""What a reader should know beside the verdict: why this checkpoint, how close, what stays open."""

from __future__ import annotations

from ckpt_action.outcome import ArtifactOutcome, JobOutcome

_NO_GOLDEN = (
    "no golden file: that the code is the one of the training (order of layers of equal shape, "
    "activations, preprocessing) is not proven"
)


def remarks(job: JobOutcome) -> tuple[str, ...]:
    """A line for each."""
    made = [artifact for artifact in job.artifacts if artifact.passed]
    lines = [line for artifact in made if (line := _closeness(artifact))]
    return (*lines, _NO_GOLDEN) if made and _from_code_alone(job) else tuple(lines)


def _closeness(artifact: ArtifactOutcome) -> str:
    """Of what may differ by its `max-error`: by how much it does, of how much it may."""
    found = [
        (verdict.max_abs, verdict.atol)
        for verdict in artifact.verdicts
        if verdict.against == "reference" and verdict.max_abs is not None and verdict.atol
    ]
    if artifact.max_error is None or not found:
        return ""
    most, allowed = max(found, key=lambda pair: pair[0] / pair[1])
    return (
        f"{artifact.name} differs from the model by {most:.2g} of the {allowed:.2g} that its "
        f"`max-error` of {artifact.max_error:g} allows"
    )


def _from_code_alone(job: JobOutcome) -> bool:
    """Whether the repository's code says what is computed, and nothing recorded confirms it."""
    golden = any(proof.name == "golden" and proof.passed for proof in job.proofs)
    return bool(job.entry_point) and not golden

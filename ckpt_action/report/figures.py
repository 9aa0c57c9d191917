"""What every rendering of a run counts and words alike: status, sizes, digests, differences."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from enum import Enum

from ckpt_action.errors import Severity
from ckpt_action.outcome import ArtifactOutcome, JobOutcome, OutputVerdict, Run, VariableRecord

_ALWAYS_ASKED = frozenset({"origin", "sensitive"})
"""Proofs that every model should give; the others depend on what is declared."""


class Status(str, Enum):
    """How an artifact, a model or a run ended; only `PROVEN` is good."""

    PROVEN = "proven"
    UNPROVEN = "not proven"
    """Written, and nothing failed, but its values were not compared either."""
    FAILED = "failed"


def artifact_status(artifact: ArtifactOutcome) -> Status:
    shown = [verdict.passed for verdict in artifact.verdicts]
    shown += [proof.passed for proof in artifact.proofs if proof.passed is not None]
    if not artifact.passed or not all(shown):
        return Status.FAILED
    return Status.UNPROVEN if _not_compared(artifact) else Status.PROVEN


def _not_compared(artifact: ArtifactOutcome) -> str:
    """Whose values nobody compared, or to no avail, in words; empty where all were."""
    reasons = [p.detail for p in artifact.proofs if p.name == "values" and p.passed is None]
    if reasons or "values" in artifact.unproven:
        return f"values of {artifact.name}: {(*reasons, artifact.unproven.get('values'))[0]}"
    compared = {verdict.signature for verdict in artifact.verdicts}
    left = [s.name for s in artifact.signatures if s.name not in compared]
    if compared and not left:
        return ""
    which = f", signature {', '.join(left)}" if compared else ""
    return f"values of {artifact.name}{which}: not compared with anything, only bytes were"


def not_shown(job: JobOutcome) -> tuple[str, ...]:
    """What no proof speaks for although nothing failed: of the model, and of each artifact."""
    model = [p.detail for p in job.proofs if p.passed is None and p.name in _ALWAYS_ASKED]
    made = [a for a in job.artifacts if a.passed and a.files]
    return (
        *model,
        *(text for artifact in made if (text := _not_compared(artifact))),
        *(text for artifact in made if (text := _not_held(job, artifact))),
    )


def _not_held(job: JobOutcome, artifact: ArtifactOutcome) -> str:
    """Where outputs do not tell of the weights, and the stored bytes do not either, in words."""
    if all(p.passed is not None for p in job.proofs if p.name == "sensitive"):
        return ""
    held = any(p.name == "payload" and p.passed for p in artifact.proofs)
    if held and not artifact.transformed:
        return ""
    return f"weights of {artifact.name}: outputs do not move with them, nor are their bytes in it"


def _of_other_origin(job: JobOutcome) -> bool:
    """Whether something else than the checkpoint may reach outputs that no golden file tells."""
    golden = tuple(f"signature {v.signature}: " for v in job.verdicts if v.against == "golden")
    return any(
        p.name == "origin" and p.passed is None and not p.detail.startswith(golden)
        for p in job.proofs
    )


def job_status(job: JobOutcome) -> Status:
    """Of a model: failed where anything about it failed, or where nothing was written."""
    parts = [artifact_status(artifact) for artifact in job.artifacts]
    own = [verdict.passed for verdict in job.verdicts]
    own += [proof.passed for proof in job.proofs if proof.passed is not None]
    broken = any(problem.severity is Severity.ERROR for problem in job.problems)
    if broken or not parts or not all(own) or Status.FAILED in parts:
        return Status.FAILED
    unheld = any(_not_held(job, artifact) for artifact in job.artifacts)
    unproven = Status.UNPROVEN in parts or unheld or _of_other_origin(job)
    return Status.UNPROVEN if unproven else Status.PROVEN


def run_status(run: Run) -> Status:
    jobs = [job_status(job) for job in run.jobs]
    if run.exit_code or not jobs or Status.FAILED in jobs:
        return Status.FAILED
    return Status.UNPROVEN if Status.UNPROVEN in jobs else Status.PROVEN


def headline(run: Run) -> str:
    """The verdict in one sentence."""
    jobs = {status: [job for job in run.jobs if job_status(job) is status] for status in Status}
    parts = []
    if failed := jobs[Status.FAILED]:
        parts.append(f"{len(failed)} of {count(run.jobs, 'model')} failed{_causes(run)}")
    elif run.exit_code:
        parts.append(f"the run failed{_causes(run)}")
    if unproven := jobs[Status.UNPROVEN]:
        parts.append(f"{count(unproven, 'model')} exported, but not proven")
    if proven := jobs[Status.PROVEN]:
        artifacts = [artifact for job in proven for artifact in job.artifacts]
        size = human_bytes(sum(artifact.bytes for artifact in artifacts))
        made = f"{count(artifacts, 'artifact')}, {size}"
        parts.append(f"{count(proven, 'model')} exported and proven ({made})")
    text = "; ".join(parts) or "nothing was exported"
    return text[0].upper() + text[1:]


def _causes(run: Run) -> str:
    problems = [*run.problems, *(p for job in run.jobs for p in job.all_problems)]
    codes = {p.code for p in problems if p.severity is Severity.ERROR}
    names = [code.name.lower() for code in sorted(codes, reverse=True)]
    return f" ({', '.join(names)})" if names else ""


def count(things: int | Sequence[object], noun: str) -> str:
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def human_bytes(size: int) -> str:
    """In the decimal units that `max-size` is written in."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            return f"{value:.1f} {unit}"
    raise AssertionError


def artifact_digest(artifact: ArtifactOutcome) -> str:
    """SHA-256 over the artifact's own lines of `SHA256SUMS`: one name for all its bytes."""
    lines = (
        f"{file.sha256}  {file.path}\n"
        for file in sorted(artifact.files, key=lambda file: file.path)
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def short(digest: str) -> str:
    return digest[:12]


def changes(run: Run) -> str:
    """What to add to the name of the commit."""
    return " with changes that are not committed" if run.dirty else ""


def largest(values: Iterable[float | None]) -> float | None:
    """The largest difference; NaN counts as larger than all, None as absent."""
    known = [value for value in values if value is not None]
    return max(known, key=lambda v: (math.isnan(v), v), default=None)


def difference_text(verdicts: Sequence[OutputVerdict], field: str) -> str:
    """Largest `max_abs` or `max_rel` in words; `exact` where only equality was asked for."""
    if not verdicts:
        return "-"
    value = largest(getattr(verdict, field) for verdict in verdicts)
    return "exact" if value is None else number_text(value)


def number_text(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def latencies(job: JobOutcome) -> list[str]:
    """A line for each artifact that was timed, with the machine that it was timed on."""
    return [
        f"one call of {a.name} takes {a.latency.seconds * 1e3:.3g} ms: median of {a.latency.runs} "
        f"calls of {a.latency.call}, on {a.latency.machine}"
        for a in job.artifacts
        if a.latency is not None
    ]


def shape_text(shape: Sequence[int | str | None] | None) -> str:
    if shape is None:
        return "any shape"
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"


def variable_bytes(variable: VariableRecord) -> int | None:
    """Size of the value; None where the dtype's name tells no width (`string`)."""
    if variable.dtype == "bool":
        return math.prod(variable.shape)
    width = re.search(r"\d+", variable.dtype)
    return math.prod(variable.shape) * int(width[0]) // 8 if width else None


def checkpoint_text(job: JobOutcome) -> str:
    """Where the values came from and how they found the model, in one line."""
    checkpoint = job.checkpoint
    parts = [checkpoint.kind, checkpoint.writer]
    parts.append("" if checkpoint.step is None else f"step {checkpoint.step}")
    parts.append(human_bytes(checkpoint.bytes))
    return ", ".join(part for part in parts if part)


def binding_text(job: JobOutcome) -> str:
    binding = job.binding
    if binding is None:
        return "not restored"
    keras = "" if binding.keras in ("", "none") else f", Keras {binding.keras}"
    return f"{count(binding.bound, 'variable')} restored by {binding.route}{keras}"


def allowances(job: JobOutcome) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was allowed to stay apart, by what it is; empty where nothing was."""
    binding = job.binding
    if binding is None:
        return ()
    kinds = (
        ("kept their initial values (allow-missing)", binding.missing_allowed),
        ("left unused in the checkpoint (allow-unused)", binding.unused_allowed),
        ("state that no checkpoint stores", binding.state),
    )
    return tuple((what, names) for what, names in kinds if names)

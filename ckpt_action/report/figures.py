"""What every rendering of a run counts and words alike: sizes, digests, differences."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence

from ckpt_action.errors import ExitCode
from ckpt_action.outcome import ArtifactOutcome, JobOutcome, OutputVerdict, Run, VariableRecord
from ckpt_action.report.counting import count
from ckpt_action.report.remarks import passed_targets
from ckpt_action.status import Status, job_status

_NAMED = 3
"""Names of models in a headline at most."""


def headline(run: Run) -> str:
    """The verdict in one sentence."""
    jobs = {status: [job for job in run.jobs if job_status(job) is status] for status in Status}
    parts = []
    if failed := jobs[Status.FAILED]:
        whole = count(run.jobs, "model")
        parts.append(f"{len(failed)} of {whole} failed{_named(failed)}{_causes(run)}")
        if placed := passed_targets(failed):
            parts.append(f"of {'it' if len(failed) == 1 else 'these'}, {placed}")
    elif run.exit_code:
        parts.append(f"the run failed{_causes(run)}")
    if unproven := jobs[Status.UNPROVEN]:
        parts.append(f"{count(unproven, 'model')} exported, but not proven")
    if proven := jobs[Status.PROVEN]:
        artifacts = [artifact for job in proven for artifact in job.artifacts]
        size = human_bytes(sum(artifact.bytes for artifact in artifacts))
        made = f"{count(artifacts, 'artifact')}, {size}"
        parts.append(f"{count(proven, 'model')} exported and proven ({made})")
    if any(p.code is ExitCode.VERIFY and not p.is_error for p in run.problems):
        parts.append("the last export failed in part")  # what `verify` says of a whole folder
    text = "; ".join(parts) or "nothing was exported"
    return text[0].upper() + text[1:]


def _named(jobs: Sequence[JobOutcome]) -> str:
    """Their names, where these are few enough for a headline."""
    few = len(jobs) <= _NAMED
    return f": {', '.join(job.name for job in jobs)}" if few else ""


def _causes(run: Run) -> str:
    problems = [*run.problems, *(p for job in run.jobs for p in job.all_problems)]
    codes = {p.code for p in problems if p.is_error}
    names = [code.name.lower() for code in sorted(codes, reverse=True)]
    return f" ({', '.join(names)})" if names else ""


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


def cost_text(job: JobOutcome) -> str:
    """Of all its child processes; empty where none ran, or nobody measured."""
    if not job.seconds or not job.peak_rss:
        return ""
    return f"{job.seconds:.1f} s in child processes, {human_bytes(job.peak_rss)} at the most"


def golden_text(verdicts: Sequence[OutputVerdict]) -> str:
    passed = all(verdict.passed for verdict in verdicts)
    size = difference_text(verdicts, "max_abs")
    how = "bit for bit" if size == "exact" else f"max abs {size}"
    return f"the rebuilt model {'agrees' if passed else 'DISAGREES'} with the golden file ({how})"


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
        ("random or recurrent state, in no checkpoint", binding.state),
    )
    return tuple((what, names) for what, names in kinds if names)

"""A run as text for a terminal or a log: the verdict first, then every model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import ArtifactOutcome, JobOutcome, Run
from ckpt_action.report import figures
from ckpt_action.report.problems import problem_text
from ckpt_action.report.remarks import remarks
from ckpt_action.status import artifact_status, job_status, not_shown

_FAILED_SHOWN = 20


def render(run: Run) -> str:
    """The whole report; the caller sanitizes it where a GitHub job reads along."""
    told: set[Problem] = set()
    blocks = [figures.headline(run), *(_job(job, told) for job in run.jobs)]
    blocks += [problem_text(problem) for problem in run.problems]
    return "\n\n".join(blocks) + "\n"


def table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Rows as aligned lines; columns in `right` are aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    aligned = set(right)
    return [
        "  ".join(
            cell.rjust(width) if i in aligned else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _job(job: JobOutcome, told: set[Problem]) -> str:
    """`told`: problems of the machine that were said above, with each artifact the same."""
    lines = [
        f"{job.name}: {job_status(job).value}",
        f"  checkpoint  {job.checkpoint.path} ({figures.checkpoint_text(job)})",
    ]
    lines += [f"              {note}" for note in job.chosen]
    if job.taken_from:
        lines.append(f"  unchanged, taken from {job.taken_from}")
    if job.entry_point:
        lines.append(f"  built by    {job.entry_point}")
    lines.append(f"  restored    {figures.binding_text(job)}")
    if job.verdicts:
        lines.append(f"  golden      {figures.golden_text(job.verdicts)}")
    if cost := figures.cost_text(job):
        lines.append(f"  took        {cost}")
    if job.artifacts:
        rows: list[tuple[str, ...]] = [("target", "size", "sha256", "max abs", "max rel", "")]
        rows += [_artifact(artifact) for artifact in job.artifacts]
        lines += ["", *(f"  {line}" for line in table(rows, right=(1, 3, 4)))]
    lines += [f"  {line}" for line in figures.latencies(job)]
    lines += [f"  {text}" for text in remarks(job)]
    lines += [f"  not shown: {text}" for text in not_shown(job)]
    for what, names in figures.allowances(job):
        lines.append(f"  {what}: {', '.join(names)}")
    if job.binding:
        lines += [f"  note: {note}" for note in job.binding.notes]
    lines += [*_failed_verdicts(job), *_problems(job, told)]
    return "\n".join(lines)


def _problems(job: JobOutcome, told: set[Problem]) -> Iterator[str]:
    for problem in job.all_problems:
        if problem not in told:
            yield from ("", *(f"  {line}" for line in problem_text(problem).split("\n")))
        if problem.code is ExitCode.ENVIRONMENT:
            told.add(problem)


def _artifact(artifact: ArtifactOutcome) -> tuple[str, ...]:
    return (
        artifact.name,
        figures.human_bytes(artifact.bytes) if artifact.files else "-",
        figures.short(figures.artifact_digest(artifact)) if artifact.files else "-",
        figures.difference_text(artifact.verdicts, "max_abs"),
        figures.difference_text(artifact.verdicts, "max_rel"),
        artifact_status(artifact).value,
    )


def _failed_verdicts(job: JobOutcome) -> list[str]:
    of_parts = [("rebuilt model", job.verdicts)]
    of_parts += [(artifact.name, artifact.verdicts) for artifact in job.artifacts]
    failed = [(name, v) for name, verdicts in of_parts for v in verdicts if not v.passed]
    if not failed:
        return []
    rows = [("", "output", "against", "probe", "max abs", "max rel", "worst at", "why")]
    for name, v in failed[:_FAILED_SHOWN]:
        rows.append(
            (
                name,
                f"{v.signature}/{v.output}",
                v.against,
                v.probe,
                "-" if v.max_abs is None else figures.number_text(v.max_abs),
                "-" if v.max_rel is None else figures.number_text(v.max_rel),
                "-" if v.worst_index is None else figures.shape_text(v.worst_index),
                v.reason,
            )
        )
    lines = ["", *(f"  {line}" for line in table(rows, right=(4, 5)))]
    if len(failed) > _FAILED_SHOWN:
        lines.append(f"  and {len(failed) - _FAILED_SHOWN} more outputs that differ")
    return lines

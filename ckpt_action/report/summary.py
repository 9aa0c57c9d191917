"""A run as the step summary of a GitHub job: verdict first, within the size that GitHub shows."""

from __future__ import annotations

from collections.abc import Sequence

from ckpt_action.errors import Problem, Severity
from ckpt_action.outcome import ArtifactOutcome, JobOutcome, OutputVerdict, Run
from ckpt_action.report import figures
from ckpt_action.report.counting import count
from ckpt_action.report.markup import code, markdown
from ckpt_action.report.remarks import remarks
from ckpt_action.report.workflow_commands import SUMMARY_LIMIT
from ckpt_action.status import Status, artifact_status, job_status, not_shown, run_status

_MARGIN = 24 * 1024
"""Left for what other tools add to the same step's summary."""
_ROWS = 40
"""Rows of one table, lines of one problem's details; the report has all of them."""
_MARKS = {Status.PROVEN: "✅", Status.UNPROVEN: "⚠️", Status.FAILED: "❌"}
_SEVERITIES = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "💡"}


def render(run: Run, limit: int = SUMMARY_LIMIT - _MARGIN) -> str:
    """Markdown of at most `limit` bytes. Models that failed come first and are cut last."""
    commit = f", commit {code(figures.short(run.commit))}" if run.commit else ""
    commit += figures.changes(run)
    head = (
        f"## {_MARKS[run_status(run)]} {markdown(figures.headline(run))}\n\n"
        f"{code(run.config)}{commit}, ckpt-action {markdown(run.tool)}\n\n"
    )
    jobs = sorted(run.jobs, key=lambda job: job_status(job) is not Status.FAILED)
    blocks = [(_problems(run.problems), "")] if run.problems else []
    blocks += [(_changes(run), "")] if run.previous else []
    blocks += [(_job(job), _heading(job)) for job in jobs]
    return head + _fit(blocks, limit - len(head.encode()))


def _fit(blocks: Sequence[tuple[str, str]], room: int) -> str:
    """As many whole blocks as there is room for, then as many of their short forms."""
    shown, left_out = [], 0
    room -= 200  # the closing line about what was left out
    for whole, brief in blocks:
        text = next((t for t in (whole, brief) if t and len(t.encode()) <= room), "")
        left_out += text != whole
        room -= len(text.encode())
        shown.append(text)
    if left_out:
        shown.append(f"\n{left_out} of {len(blocks)} parts are cut here; the report has all.\n")
    return "".join(shown)


def _changes(run: Run) -> str:
    title = f"Changed since {code(run.previous)}"
    if not run.changes:
        return f"{title}: nothing.\n\n"
    head = ("model", "what", "before", "now")
    rows = [
        (code(c.job), markdown(c.what), markdown(c.before) or "-", markdown(c.after) or "-")
        for c in run.changes[:_ROWS]
    ]
    table = "\n".join(_table(head, rows))
    title += f": {count(run.changes, 'difference')}{_rest(run.changes)}"
    return f"<details open><summary>{title}</summary>\n\n{table}\n</details>\n\n"


def _heading(job: JobOutcome) -> str:
    return f"### {_MARKS[job_status(job)]} {markdown(job.name)}\n\n"


def _job(job: JobOutcome) -> str:
    made_from = f"{code(job.checkpoint.path)} ({markdown(figures.checkpoint_text(job))})"
    taken = f"; unchanged, taken from {code(job.taken_from)}" if job.taken_from else ""
    told = (figures.binding_text(job), figures.cost_text(job))
    lines = [f"{made_from}; {'; '.join(markdown(text) for text in told if text)}{taken}", ""]
    if job.artifacts:
        head = ("", "target", "size", "sha256", "max abs", "max rel", "shown")
        lines += _table(head, [_artifact(artifact) for artifact in job.artifacts])
    lines += [f"- {markdown(text)}" for text in (*job.chosen, *remarks(job))]
    lines += [f"- **not shown:** {markdown(text)}" for text in not_shown(job)[:_ROWS]]
    for what, names in figures.allowances(job):
        listed = ", ".join(code(name) for name in names[:_ROWS])
        lines += [f"**{markdown(what)}:** {listed}{_rest(names)}", ""]
    notes = job.binding.notes if job.binding else ()
    lines += [f"- {_SEVERITIES[Severity.WARNING]} {markdown(note)}" for note in notes[:_ROWS]]
    outputs = [("rebuilt model", v) for v in job.verdicts]
    outputs += [(artifact.name, v) for artifact in job.artifacts for v in artifact.verdicts]
    problems = _problems(job.all_problems)
    return _heading(job) + "\n".join(lines) + "\n\n" + problems + _comparisons(outputs)


def _artifact(artifact: ArtifactOutcome) -> tuple[str, ...]:
    proofs = [proof.name for proof in artifact.proofs if proof.passed]
    made = bool(artifact.files)
    return (
        _MARKS[artifact_status(artifact)],
        markdown(artifact.name),
        figures.human_bytes(artifact.bytes) if made else "-",
        code(figures.short(figures.artifact_digest(artifact))) if made else "-",
        figures.difference_text(artifact.verdicts, "max_abs"),
        figures.difference_text(artifact.verdicts, "max_rel"),
        markdown(", ".join(proofs)) or "-",
    )


def _problems(problems: Sequence[Problem]) -> str:
    return "".join(f"{_problem(problem)}\n" for problem in problems[:_ROWS]) + (
        f"- and {len(problems) - _ROWS} more\n\n" if len(problems) > _ROWS else "\n"
    )


def _problem(problem: Problem) -> str:
    place = f"{code(str(problem.where))} " if problem.where else ""
    hint = f" **{markdown(problem.hint)}**" if problem.hint else ""
    text = f"- {_SEVERITIES[problem.severity]} {place}{markdown(problem.message)}{hint}"
    if problem.details:
        lines = [markdown(line) for line in problem.details[:_ROWS]]
        listed = "<br>".join(lines) + _rest(problem.details)
        text += f"<details><summary>details</summary><samp>{listed}</samp></details>"
    return text


def _comparisons(outputs: Sequence[tuple[str, OutputVerdict]]) -> str:
    if not outputs:
        return ""
    ordered = sorted(outputs, key=lambda pair: pair[1].passed)
    head = ("", "", "output", "against", "probe", "max abs", "max rel", "worst at", "why")
    lines = _table(head, [_comparison(name, verdict) for name, verdict in ordered[:_ROWS]])
    title = f"{count(outputs, 'comparison')}{_rest(outputs)}"
    return f"<details><summary>{title}</summary>\n\n" + "\n".join(lines) + "\n</details>\n\n"


def _comparison(name: str, verdict: OutputVerdict) -> tuple[str, ...]:
    worst = "-" if verdict.worst_index is None else figures.shape_text(verdict.worst_index)
    return (
        _MARKS[Status.PROVEN if verdict.passed else Status.FAILED],
        markdown(name),
        code(f"{verdict.signature}/{verdict.output}"),
        verdict.against,
        markdown(verdict.probe),
        figures.difference_text((verdict,), "max_abs"),
        figures.difference_text((verdict,), "max_rel"),
        worst,
        markdown(verdict.reason),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _rest(things: Sequence[object]) -> str:
    return f" (the first {_ROWS} of {len(things)})" if len(things) > _ROWS else ""

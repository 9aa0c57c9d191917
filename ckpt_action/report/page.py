"""A run as one self-contained HTML page: `report.html`, the same bytes for the same run.

Nothing that changes from run to run (seconds, memory) is on it, and it loads nothing.
"""

from __future__ import annotations

from importlib import resources

from ckpt_action.errors import Problem
from ckpt_action.outcome import JobOutcome, Run
from ckpt_action.report import figures, tables
from ckpt_action.report.markup import hypertext
from ckpt_action.report.remarks import NO_GOLDEN, remarks
from ckpt_action.report.tables import code
from ckpt_action.status import Status, job_status, not_shown, run_status

_CLASSES = {Status.PROVEN: "proven", Status.UNPROVEN: "doubt", Status.FAILED: "failed"}
_UNFOLDED = 5
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(run: Run) -> str:
    """The whole page."""
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    headline = hypertext(figures.headline(run))
    kind = _CLASSES[run_status(run)]
    commit = f", commit {code(figures.short(run.commit))}" if run.commit else ""
    commit += figures.changes(run)
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{headline}</title>\n<style>\n{style}</style>\n",
            f'<h1 class="{kind}">{headline}</h1>\n',
            f'<p class="quiet">{code(run.config)}{commit}, ckpt-action {hypertext(run.tool)}</p>\n',
            *(_problem(problem) for problem in run.problems),
            tables.overview(run),
            tables.changes(run),
            *(_job(job, number, folded=_folds(job, run)) for number, job in tables.ordered(run)),
            "</html>\n",
        )
    )


def _folds(job: JobOutcome, run: Run) -> bool:
    """Of many models those are unfolded that somebody has to look at."""
    return len(run.jobs) > _UNFOLDED and job_status(job) is Status.PROVEN


def _job(job: JobOutcome, number: int, *, folded: bool) -> str:
    status = job_status(job)
    parts = [
        f"<summary><h2>{hypertext(job.name)}</h2>",
        f'<span class="state {_CLASSES[status]}">{status.value}</span></summary>\n',
        f'<div id="model-{number}">',
        *(_problem(problem) for problem in job.all_problems),
        _facts(job),
        tables.artifacts(job),
        tables.differences(job),
        tables.signatures(job),
        tables.variables(job),
        tables.proofs(job),
        tables.files(job),
    ]
    return f'<details class="model"{"" if folded else " open"}>{"".join(parts)}</div></details>\n'


def _facts(job: JobOutcome) -> str:
    checkpoint = f"{code(job.checkpoint.path)} ({hypertext(figures.checkpoint_text(job))})"
    facts = [("unchanged", f"taken from {code(job.taken_from)}")] if job.taken_from else []
    facts += [
        ("checkpoint", checkpoint),
        *(("chosen", hypertext(note)) for note in job.chosen),
        ("its digest", code(job.checkpoint.sha256)),
        ("built by", code(job.entry_point) if job.entry_point else "the file itself"),
        ("restored", hypertext(figures.binding_text(job))),
    ]
    facts += [("golden", hypertext(figures.golden_text(job.verdicts)))] if job.verdicts else []
    facts += [
        ("open" if text == NO_GOLDEN else "how close", hypertext(text)) for text in remarks(job)
    ]
    facts += [("not shown", hypertext(text)) for text in not_shown(job)]
    facts += [(what, _listed(names)) for what, names in figures.allowances(job)]
    if job.binding and job.binding.ignored:
        ignored = (f"{number} {role}" for role, number in sorted(job.binding.ignored.items()))
        facts.append(("no part of the model", hypertext(", ".join(ignored))))
    facts += [("note", hypertext(note)) for note in (job.binding.notes if job.binding else ())]
    if job.unrecorded:
        facts.append(("also read, so exported each time", _listed(job.unrecorded)))
    versions = (f"{name} {version}" for name, version in sorted(job.versions.items()))
    facts.append(("made with", hypertext(", ".join(versions)) or "-"))
    rows = "".join(f"<dt>{hypertext(name)}</dt><dd>{value}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>\n"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(code(name) for name in names)


def _problem(problem: Problem) -> str:
    place = f"{code(str(problem.where))}<br>" if problem.where else ""
    hint = f"<p><strong>{hypertext(problem.hint)}</strong></p>" if problem.hint else ""
    lines = hypertext("\n".join(problem.details))
    details = f"<pre><code>{lines}</code></pre>" if lines else ""
    text = f"<p>{place}{hypertext(problem.message)}</p>{hint}{details}"
    return f'<div class="problem {problem.severity.value}">{text}</div>\n'

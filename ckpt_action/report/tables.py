"""The tables and pictures of one model on the HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ckpt_action.outcome import (
    JobOutcome,
    OutputVerdict,
    Proof,
    Run,
    SignatureRecord,
    TensorRecord,
)
from ckpt_action.report import figures, plots
from ckpt_action.report.counting import count
from ckpt_action.report.markup import hypertext
from ckpt_action.status import Status, artifact_status, job_status

_MOST_ROWS = 500
"""A page stays readable, and opens quickly; the manifest lists everything."""
_NUMBERS = ("#max abs", "#max rel", "worst at", "#NaN", "#Inf", "#rtol", "#atol")
_CLASSES = {Status.PROVEN: "proven", Status.UNPROVEN: "doubt", Status.FAILED: "failed"}


def code(text: str) -> str:
    return f"<code>{hypertext(text)}</code>"


def ordered(run: Run) -> list[tuple[int, JobOutcome]]:
    """Each model with its number on the page; those that are not proven come first."""
    good = Status.PROVEN
    return list(enumerate(sorted(run.jobs, key=lambda job: job_status(job) is good)))


def overview(run: Run) -> str:
    """All models at a glance, where there are several."""
    if len(run.jobs) < 2:
        return ""
    rows = []
    for number, job in ordered(run):
        status = job_status(job)
        verdicts = [verdict for artifact in job.artifacts for verdict in artifact.verdicts]
        rows.append(
            (
                f'<a href="#model-{number}">{code(job.name)}</a>',
                f'<span class="state {_CLASSES[status]}">{status.value}</span>',
                hypertext(_targets(job)) or "-",
                figures.human_bytes(sum(artifact.bytes for artifact in job.artifacts)),
                figures.difference_text(verdicts, "max_abs"),
                figures.difference_text(verdicts, "max_rel"),
            )
        )
    head = ("model", "", "targets", "#size", "#max abs", "#max rel")
    return f'<section class="model"><h2>Models</h2>{_table(head, rows)}</section>\n'


def _targets(job: JobOutcome) -> str:
    failed = [a.name for a in job.artifacts if artifact_status(a) is Status.FAILED]
    made = [a.name for a in job.artifacts if a.name not in failed]
    told = [", ".join(made)] if made else []
    told += [f"failed: {', '.join(failed)}"] if failed else []
    return "; ".join(told)


def changes(run: Run) -> str:
    """What is different from the previous export, where there was one."""
    if not run.previous:
        return ""
    rows = [
        (
            code(change.job),
            *map(hypertext, (change.what, change.before or "-", change.after or "-")),
        )
        for change in run.changes[:_MOST_ROWS]
    ]
    table = _table(("model", "what", "before", "now"), rows) if rows else "<p>Nothing.</p>"
    return f'<section class="model"><h2>Changed since {code(run.previous)}</h2>{table}</section>\n'


def artifacts(job: JobOutcome) -> str:
    rows = []
    for artifact in job.artifacts:
        status = artifact_status(artifact)
        made = bool(artifact.files)
        rows.append(
            (
                hypertext(artifact.name),
                f'<span class="state {_CLASSES[status]}">{status.value}</span>',
                figures.human_bytes(artifact.bytes) if made else "-",
                code(figures.short(figures.artifact_digest(artifact))) if made else "-",
                figures.difference_text(artifact.verdicts, "max_abs"),
                figures.difference_text(artifact.verdicts, "max_rel"),
            )
        )
    head = ("target", "", "#size", "sha256", "#max abs", "#max rel")
    times = "".join(f"<p>{hypertext(line)}</p>" for line in figures.latencies(job))
    return f"<h3>Artifacts</h3>{_table(head, rows)}{times}" if rows else ""


def differences(job: JobOutcome) -> str:
    """One picture for each output of each artifact, then every comparison in a table."""
    named = [("rebuilt model", verdict) for verdict in job.verdicts]
    named += [(artifact.name, v) for artifact in job.artifacts for v in artifact.verdicts]
    if not named:
        return ""
    groups: dict[tuple[str, str], list[OutputVerdict]] = {}
    for name, verdict in named:
        groups.setdefault((name, f"{verdict.signature}/{verdict.output}"), []).append(verdict)
    drawn = "".join(
        f"<figure><figcaption>{hypertext(name)}: {code(output)}</figcaption>"
        f"{plots.differences(verdicts)}</figure>"
        for (name, output), verdicts in list(groups.items())[:_MOST_ROWS]
        if figures.largest(v.max_abs for v in verdicts) is not None
    )
    pictures = f'<div class="plots">{drawn}</div>' if drawn else ""
    ordered = sorted(named, key=lambda pair: pair[1].passed)
    head = ("", "output", "against", "probe", *_NUMBERS, "")
    rows = [(hypertext(name), *_comparison(verdict)) for name, verdict in ordered[:_MOST_ROWS]]
    title = count(named, "comparison")
    return f"<h3>Differences</h3>{pictures}" + _folded(title, _table(head, rows), len(named))


def _comparison(verdict: OutputVerdict) -> tuple[str, ...]:
    status = Status.PROVEN if verdict.passed else Status.FAILED
    word = "agrees" if verdict.passed else verdict.reason or "differs"
    worst = "-" if verdict.worst_index is None else figures.shape_text(verdict.worst_index)
    return (
        code(f"{verdict.signature}/{verdict.output}"),
        verdict.against,
        hypertext(verdict.probe),
        figures.difference_text((verdict,), "max_abs"),
        figures.difference_text((verdict,), "max_rel"),
        worst,
        str(verdict.nan_count),
        str(verdict.inf_count),
        f"{verdict.rtol:g}",
        f"{verdict.atol:g}",
        f'<span class="{_CLASSES[status]}">{hypertext(word)}</span>',
    )


def signatures(job: JobOutcome) -> str:
    """Each different signature once, with the targets that have it."""
    owners: dict[SignatureRecord, list[str]] = {}
    for artifact in job.artifacts:
        for signature in artifact.signatures:
            owners.setdefault(signature, []).append(artifact.name)
    text = ""
    for signature, names in owners.items():
        title = f"Signature {code(signature.name)} of {hypertext(', '.join(names))}"
        rows = [_tensor("in", tensor) for tensor in signature.inputs]
        rows += [_tensor("out", tensor) for tensor in signature.outputs]
        table = _table(("", "name", "dtype", "shape", "tensor in the file"), rows)
        text += f"<h3>{title}</h3>{table}"
    return text


def _tensor(direction: str, tensor: TensorRecord) -> tuple[str, ...]:
    shape = hypertext(figures.shape_text(tensor.shape))
    name = code(tensor.tensor) if tensor.tensor else "-"
    return (direction, code(tensor.name), hypertext(tensor.dtype), shape, name)


def variables(job: JobOutcome) -> str:
    """The largest first, each with its share of the largest."""
    sized = sorted(
        ((figures.variable_bytes(variable) or 0, variable) for variable in job.variables),
        key=lambda pair: (-pair[0], pair[1].path),
    )
    if not sized:
        return ""
    most = max(sized[0][0], 1)
    total = sum(size for size, _ in sized)
    rows = [
        (
            code(variable.path),
            hypertext(f"{variable.dtype} {figures.shape_text(variable.shape)}"),
            figures.human_bytes(size) if size else "-",
            plots.bar(size / most) if size else "",
            code(variable.source) if variable.source else "initial value",
        )
        for size, variable in sized[:_MOST_ROWS]
    ]
    title = f"{count(sized, 'variable')}, {figures.human_bytes(total)}"
    table = _table(("variable", "value", "#size", "", "in the checkpoint"), rows)
    return _folded(title, table, len(sized))


def proofs(job: JobOutcome) -> str:
    named: list[tuple[str, Proof]] = [("rebuilt model", proof) for proof in job.proofs]
    named += [(artifact.name, proof) for artifact in job.artifacts for proof in artifact.proofs]
    words = {
        True: ("proven", "shown"),
        False: ("failed", "refuted"),
        None: ("quiet", "not shown"),
    }
    rows = [
        (
            hypertext(name),
            hypertext(proof.name),
            f'<span class="{words[proof.passed][0]}">{words[proof.passed][1]}</span>',
            hypertext(proof.detail),
        )
        for name, proof in named[:_MOST_ROWS]
    ]
    title = count(named, "proof")
    return _folded(title, _table(("", "what", "", "how"), rows), len(named)) if rows else ""


def files(job: JobOutcome) -> str:
    listed = [file for artifact in job.artifacts for file in artifact.files] + list(job.sources)
    rows = [
        (code(file.path), figures.human_bytes(file.bytes), code(file.sha256))
        for file in listed[:_MOST_ROWS]
    ]
    title = f"{count(listed, 'file')}, with what the code read of the repository"
    return _folded(title, _table(("file", "#size", "sha256"), rows), len(listed)) if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of HTML cells; a `#` before a title aligns its column as numbers.

    On narrow screens a cell stands on a line of its own, with the title of its column."""
    kinds = [' class="number"' if title.startswith("#") else "" for title in head]
    titles = [title.lstrip("#") for title in head]
    cells = "".join(f"<th{k}>{t}</th>" for k, t in zip(kinds, titles, strict=True))
    tags = [f'{k} data-title="{t}"' if t else k for k, t in zip(kinds, titles, strict=True)]
    body = "".join(
        "<tr>"
        + "".join(f"<td{tag}>{cell}</td>" for tag, cell in zip(tags, row, strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{cells}</tr>\n{body}</table></div>\n'


def _folded(title: str, content: str, rows: int) -> str:
    more = f" (the first {_MOST_ROWS})" if rows > _MOST_ROWS else ""
    return f"<details><summary>{hypertext(title)}{more}</summary>{content}</details>\n"

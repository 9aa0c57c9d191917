"""Problems as annotations at file and line, within the number and length that GitHub shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ckpt_action.errors import Problem, Severity
from ckpt_action.report.counting import count
from ckpt_action.report.workflow_commands import (
    ANNOTATION_LIMIT,
    MESSAGE_LIMIT,
    command,
    sanitize,
    shorten,
)

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def annotation_commands(problems: Iterable[Problem]) -> tuple[str, ...]:
    """One workflow command for each problem, the gravest kind first, ready to be printed.

    Of more than `ANNOTATION_LIMIT` of a kind the rest becomes one annotation with their number.
    """
    known = tuple(problems)
    lines: list[str] = []
    for severity, name in _COMMANDS.items():
        same = [problem for problem in known if problem.severity is severity]
        lines += [_annotation(name, problem) for problem in same[:ANNOTATION_LIMIT]]
        lines += _remainder(name, same[ANNOTATION_LIMIT:])
    return tuple(lines)


def _annotation(name: str, problem: Problem) -> str:
    parts = [problem.message, problem.hint]
    where = problem.where
    if where and where.key_path:
        parts.insert(0, f"{where.key_path}:")
    text = shorten(sanitize(" ".join(part for part in parts if part)), MESSAGE_LIMIT)
    return command(
        name,
        text,
        file=where.file if where else None,
        line=where.line if where else None,
        col=where.column if where else None,
        title=f"ckpt-action: {problem.code.name.lower() if problem.is_error else name}",
    )


def _remainder(name: str, problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    text = f"and {count(problems, f'more {name}')}; the step summary and the log list all of them"
    return [command(name, text, title="ckpt-action")]

"""Problems for people and for machines: text with the source line, workflow commands, JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from ckpt_action.errors import Problem, Where

_TAB = "    "
_WIDEST_LINE = 160


def print_problems(
    problems: Iterable[Problem],
    *,
    stream: TextIO | None = None,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Write problems as text to `stream` (default: standard output).

    Relative file names are read from `folder` (default: the working directory). In a GitHub job
    the text is kept from being read as workflow commands.
    """
    text = "".join(f"{problem_text(problem, folder or Path())}\n" for problem in problems)
    if (os.environ if environ is None else environ).get("GITHUB_ACTIONS") == "true":
        from ckpt_action.report.workflow_commands import sanitize

        text = sanitize(text)
    (stream or sys.stdout).write(text)


def problem_text(problem: Problem, folder: Path = Path()) -> str:
    """One problem: place and message, the source line with a caret, details, what to do.

    The key path stands in brackets after the message; control characters are made visible.
    """
    where = problem.where
    place = ""
    if where:
        place = f"{Where(file=where.file, line=where.line, column=where.column)}: "
    path = f" [{where.key_path}]" if where and where.key_path else ""
    lines = [f"{place}{problem.severity.value}: {problem.message}{path}"]
    if where:
        lines += _excerpt(where, folder)
    lines += [f"  {detail}" for detail in problem.details]
    if problem.hint:
        lines.append(f"  help: {problem.hint}")
    return "\n".join(_visible(line) for line in lines)


def problems_data(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Problems as JSON data; `code` is the exit code's name in lower case."""
    return [
        {
            "severity": problem.severity.value,
            "code": problem.code.name.lower(),
            "exit_code": int(problem.code),
            "message": problem.message,
            "hint": problem.hint,
            "details": list(problem.details),
            "file": where.file if where else None,
            "line": where.line if where else None,
            "column": where.column if where else None,
            "key_path": where.key_path if where else None,
        }
        for problem in problems
        for where in (problem.where,)
    ]


def _excerpt(where: Where, folder: Path) -> list[str]:
    """The line of the file with a caret below the column; nothing where either is unknown."""
    if where.line is None or where.column is None:
        return []
    try:
        source = folder.joinpath(where.file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = source.split("\n")
    if not 0 < where.line <= len(lines):
        return []
    line = lines[where.line - 1].rstrip("\r")
    before = line[: where.column - 1].replace("\t", _TAB)
    shown = line.replace("\t", _TAB)
    if not shown.strip() or len(shown) > _WIDEST_LINE:
        return []
    number = f"{where.line:5}"
    return [f"{number} | {shown}", f"{' ' * len(number)} | {' ' * len(before)}^"]


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)

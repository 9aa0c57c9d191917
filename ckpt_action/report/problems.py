"""Problems for people: text with the source line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from ckpt_action.errors import Problem, Severity, Where

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

    A note has no source line, for nothing there has to change. The key path stands in brackets
    after the message; control characters are made visible.
    """
    where = problem.where
    place = ""
    if where:
        place = f"{Where(file=where.file, line=where.line, column=where.column)}: "
    path = f" [{where.key_path}]" if where and where.key_path else ""
    lines = [f"{place}{problem.severity.value}: {problem.message}{path}"]
    if where and problem.severity is not Severity.NOTE:
        lines += _excerpt(where, folder)
    lines += [f"  {detail}" for detail in problem.details]
    if problem.hint:
        lines.append(f"  help: {problem.hint}")
    return "\n".join(_visible(line) for line in lines)


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
    if not shown.strip():
        return []
    shown, column = _around(shown, len(before))
    number = f"{where.line:5}"
    return [f"{number} | {shown}", f"{' ' * len(number)} | {' ' * column}^"]


def _around(line: str, column: int) -> tuple[str, int]:
    """What of a long line surrounds `column`, and where that is then."""
    if len(line) <= _WIDEST_LINE:
        return line, column
    start = min(max(column - _WIDEST_LINE // 2, 0), len(line) - _WIDEST_LINE)
    end = start + _WIDEST_LINE
    before, after = "…" * (start > 0), "…" * (end < len(line))
    return f"{before}{line[start:end]}{after}", column - start + len(before)


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)

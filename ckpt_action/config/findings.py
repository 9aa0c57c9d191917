"""What is wrong at which key; places in the file are looked up only when there is something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.config.wording import KeyPath, key_path_text
from ckpt_action.errors import ExitCode, Problem, Severity, Where


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem before its place in the file is known."""

    path: KeyPath
    message: str
    hint: str = ""
    at_key: bool = False
    """The key itself is wrong, not its value."""
    severity: Severity = Severity.ERROR
    code: ExitCode = ExitCode.CONFIG
    where: Where | None = None
    """A place in another file, where that is what must change."""
    details: tuple[str, ...] = ()


def is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


def place(findings: Iterable[Finding], file: Path, source: str) -> tuple[Problem, ...]:
    """Findings as problems in the order of the file, each one once."""
    unique = list(dict.fromkeys(findings))
    if not unique:
        return ()
    # Tree-sitter is loaded for a file with problems only: a clean one is checked without it.
    from ckpt_action.config.positions import Positions

    positions = Positions(source)
    problems = []
    for finding in unique:
        line, column = positions.find(finding.path, at_key=finding.at_key)
        here = Where(
            file=file.as_posix(),
            line=line,
            column=column,
            key_path=key_path_text(finding.path) or None,
        )
        problem = Problem(
            code=finding.code,
            message=finding.message,
            hint=finding.hint,
            where=finding.where or here,
            severity=finding.severity,
            details=finding.details,
        )
        problems.append(((line, column), problem))
    return tuple(problem for _, problem in sorted(problems, key=lambda pair: pair[0]))

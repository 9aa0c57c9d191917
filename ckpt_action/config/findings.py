"""What is wrong at which key; places in the file are looked up only when there is something."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ckpt_action.errors import ExitCode, Problem, Severity, Where

KeyPath = tuple[str | int, ...]
"""Keys and array indexes from the top of the document."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


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


def key_path_text(path: KeyPath) -> str:
    """A key path as TOML writes it: `models.digits.targets[0].format`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{key_text(part)}" if text else key_text(part)
    return text


def key_text(key: str) -> str:
    """A key as TOML writes it: bare where it may be."""
    return key if _BARE_KEY.fullmatch(key) else value_text(key)


def value_text(value: object) -> str:
    """A value as TOML writes it, shortened where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        escaped = "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in escaped)
        return f'"{escaped}"' if len(escaped) <= 60 else f'"{escaped[:57]}..."'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    return str(value)


def did_you_mean(word: str, known: Iterable[str], *, quote: str = "`") -> str:
    """`Did you mean ...?` for the nearest of `known`, else an empty string."""
    by_plain = {_plain(name): name for name in known}
    near = get_close_matches(_plain(word), by_plain, n=1, cutoff=0.6)
    return f"Did you mean {quote}{by_plain[near[0]]}{quote}?" if near else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")

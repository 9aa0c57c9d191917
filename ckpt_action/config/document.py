"""The bytes of a `model-export.toml` as TOML 1.0, or the one place where they stop being that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from ckpt_action.config.places import outer_file
from ckpt_action.config.syntax_hints import declared_twice, syntax_hint
from ckpt_action.config.wording import key_path_text
from ckpt_action.errors import ExitCode, Problem, Where
from ckpt_action.repository import path_from

_UNCLOSED = "Unclosed array"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that is TOML."""

    source: str
    data: dict[str, Any]


def read_document(file: Path) -> Document | Problem:
    """Read `file`; a file that cannot be read, or is no TOML, is a problem and never raises."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return _problem(file, "There is no such file.", hint=_instead(file))
    except OSError as error:
        return _problem(file, f"The file cannot be read: {error.strerror or error}.")
    return _parse(file, content)


def _instead(file: Path) -> str:
    """The file of a folder around this one, where there is one."""
    outer = outer_file(file)
    if outer is None:
        return "`ckpt-action init` writes a first one."
    folder, shown = (path_from(Path.cwd(), path) for path in (outer.parent, outer))
    return f"There is one in `{folder}`: give `{shown}`, or go there first."


def _parse(file: Path, content: bytes) -> Document | Problem:
    try:
        source = content.decode("utf-8")
        if source.startswith("\ufeff"):
            return _problem(
                file,
                "The file begins with a byte order mark, which TOML does not allow.",
                line=1,
                column=1,
                hint='Save it as UTF-8 without a byte order mark ("BOM").',
            )
        return Document(source=source, data=tomli.loads(source))
    except UnicodeDecodeError as error:
        line, column = _place(content, error.start)
        message = "The file is not UTF-8, as TOML has to be."
        return _problem(file, message, line=line, column=column, hint="Save it as UTF-8.")
    except tomli.TOMLDecodeError as error:
        line, column = error.lineno, error.colno
        hint = syntax_hint(error)
        if (opened := _opened(error)) is not None:
            if error.msg == _UNCLOSED:
                hint = f"A comma, or its end, is missing before line {line}, column {column}."
            line, column = _place(content, len(error.doc[:opened].encode()))
        what = error.msg if opened is None or error.msg == _UNCLOSED else "unterminated string"
        if "character '\\n'" in what:
            what = "the closing quote of a string is missing in this line"
        if table := declared_twice(error):
            what = f"the table `{key_path_text(table)}` is declared twice"
        message = f"This is not TOML 1.0: {_sentence(what)}"
        return _problem(file, message, line=line, column=column, hint=hint)
    except RecursionError:
        return _problem(file, "Arrays or tables are nested too deeply to be read.")


def _opened(error: tomli.TOMLDecodeError) -> int | None:
    """Where the array or the string began whose end is missing: it is noticed lines later."""
    before = error.doc[: error.pos]
    if error.msg == _UNCLOSED:
        starts = [found.end() - 1 for found in re.finditer(r"=\s*\[", before)]
        return starts[-1] if starts else None
    if error.msg != "Unterminated string" and not error.msg.startswith("Expected \"'"):
        return None
    for quote in ('"""', "'''"):
        if before.count(quote) % 2:
            return before.rindex(quote)
    return before.rfind("'" if error.msg.startswith("Expected") else '"')


def _place(content: bytes, offset: int) -> tuple[int, int]:
    before = content[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".") + "."


def _problem(
    file: Path, message: str, *, line: int | None = None, column: int | None = None, hint: str = ""
) -> Problem:
    where = Where(file=file.as_posix(), line=line, column=column)
    return Problem(code=ExitCode.CONFIG, message=message, hint=hint, where=where)

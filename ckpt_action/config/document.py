"""The bytes of a `model-export.toml` as TOML 1.0, or the one place where they stop being that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from ckpt_action.errors import ExitCode, Problem, Where


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
        return _problem(
            file, "There is no such file.", hint="`ckpt-action init` writes a first one."
        )
    except OSError as error:
        return _problem(file, f"The file cannot be read: {error.strerror or error}.")
    return _parse(file, content)


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
        return _problem(
            file,
            f"This is not TOML 1.0: {_sentence(error.msg)}",
            line=error.lineno,
            column=error.colno,
            hint=_syntax_hint(error),
        )
    except RecursionError:
        return _problem(file, "Arrays or tables are nested too deeply to be read.")


def _syntax_hint(error: tomli.TOMLDecodeError) -> str:
    if "overwrite" in error.msg or "twice" in error.msg:
        return "The same key or table is written twice."
    if "key part" in error.msg and error.doc[error.pos : error.pos + 1] == "\n":
        return "A table in braces has to stand on one line, without a comma at its end."
    return ""


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

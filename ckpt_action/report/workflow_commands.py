"""What GitHub's runner reads: commands in the log, and files such as GITHUB_OUTPUT names.

The rules are those of actions/runner (`ActionCommand.cs`, `FileCommandManager.cs`) and of
https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path

ANNOTATION_LIMIT = 9
"""Per type and step. The runner shows ten; the tenth is ours, to say how many more there are."""
MESSAGE_LIMIT = 4096
"""Characters of one annotation; the runner drops the rest without a word."""
SUMMARY_LIMIT = 1024 * 1024
"""Bytes of one step's summary; of a larger one the runner shows nothing at all."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ANSI_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
)
_COMMAND_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def command(name: str, message: str = "", /, **properties: str | int | None) -> str:
    """One workflow command as a line of the log: `::error file=a.toml,line=3::message`.

    Properties that are None or empty are left out. Raises ValueError where a name is no plain word.
    """
    given = {key: str(value) for key, value in properties.items() if value not in (None, "")}
    for word in (name, *given):
        if not _NAME.fullmatch(word):
            raise ValueError(f"{word!r} cannot name a workflow command or its property")
    written = ",".join(f"{key}={_escape_property(value)}" for key, value in given.items())
    return f"::{name}{' ' if written else ''}{written}::{_escape_data(message)}"


def sanitize(text: str) -> str:
    """Foreign text so that no line of it is a workflow command, and no character hides another.

    The runner takes `::name::` for a command at the start of a line, after blanks, and the older
    `##[name]` anywhere in a line. It compares by culture, which skips characters without width, so
    these go first, as do colours and other control characters.
    """
    text = _ANSI_SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(char if _is_visible(char) else "" for char in text)
    text = _COMMAND_START.sub(r"\1: ", text)
    return text.replace("##[", "# #[")


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append `values` to the file that GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE names.

    Each value stands between delimiters that nobody can guess, so that no value ends its own
    block. The format cannot carry a carriage return at the very end of a value.
    """
    blocks = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name an output")
        delimiter = f"end_{secrets.token_hex(16)}"
        blocks.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    with path.open("a", encoding="utf-8", errors="replace", newline="") as file:
        file.write("".join(blocks))


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters; what was cut shows as an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def _is_visible(char: str) -> bool:
    if char in "\n\t":
        return True
    # Variation selectors and the grapheme joiner have no width either, but are marks by category.
    if "\ufe00" <= char <= "\ufe0f" or char == "\u034f" or "\U000e0100" <= char <= "\U000e01ef":
        return False
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs")

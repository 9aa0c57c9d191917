"""How the runner reads its log and its files, written from its documentation and its source.

Stricter than the runner in one place: characters without width are skipped in comparisons always,
not only where the runner's culture data are present.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

COMMANDS = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def split_lines(text: str) -> list[str]:
    lines = re.split(r"\r\n|\r|\n", text)
    return lines[:-1] if lines[-1] == "" else lines


def parse_command(line: str) -> Command | None:
    bare = _without_ignorable(line).lstrip()
    if bare.startswith("::") and (end := bare.find("::", 2)) >= 0:
        own = line if line.startswith("::") else bare
        end = own.find("::", 2)
        found = _build(own[2:end], ",", own[end + 2 :], {"%3A": ":", "%2C": ","})
        if found:
            return found
    bare = _without_ignorable(line)
    start = bare.find("##[")
    end = bare.find("]", start)
    if start < 0 or end < 0:
        return None
    return _build(bare[start + 3 : end], ";", bare[end + 1 :], {"%3B": ";", "%5D": "]"})


def parse_file(text: str) -> dict[str, str]:
    """`name=value` lines and `name<<delimiter` blocks; raises ValueError as the runner fails."""
    values: dict[str, str] = {}
    lines = re.findall(r"([^\r\n]*)(\r\n|\r|\n|$)", text)
    at = 0
    while at < len(lines):
        line, at = lines[at][0], at + 1
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            values[line[:equals]] = line[equals + 1 :]
            continue
        if heredoc <= 0 or not line[heredoc + 2 :]:
            raise ValueError(line)
        block = ""
        while lines[at][0] != line[heredoc + 2 :]:
            if not lines[at][1]:
                raise ValueError("no closing delimiter")
            block += "".join(lines[at])
            at += 1
        at += 1
        values[line[:heredoc]] = re.sub(r"(\r\n|\r|\n)\Z", "", block)
    return values


def _build(info: str, separator: str, data: str, extra: dict[str, str]) -> Command | None:
    name, _, written = info.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    properties = {}
    for pair in filter(None, written.strip().split(separator)):
        key, equals, value = pair.partition("=")
        if equals and key and value:
            properties[key] = _unescape(value, extra)
    return Command(name, properties, _unescape(data, extra if separator == ";" else {}))


def _unescape(text: str, extra: dict[str, str]) -> str:
    for code, char in {"%0D": "\r", "%0A": "\n", **extra, "%25": "%"}.items():
        text = text.replace(code, char)
    return text


def _without_ignorable(text: str) -> str:
    return "".join(
        char
        for char in text
        if char.isspace()
        or not (
            unicodedata.category(char) in ("Cc", "Cf")
            or "\ufe00" <= char <= "\ufe0f"
            or char == "\u034f"
        )
    )

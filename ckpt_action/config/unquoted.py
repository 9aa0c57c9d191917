"""A word where TOML wants a value: a string whose quotes are missing, or a boolean in capitals."""

from __future__ import annotations

import re

import tomli

from ckpt_action.config.wording import quoted

_WORD = r"""[^\s"'#,=\[\]{}]+"""
_TOKENS = re.compile(rf"""(?P<kept>"[^"]*"|'[^']*'|\#.*|{_WORD}\s*=)|(?P<word>{_WORD})""")
_BOOLEANS = {"true": "true", "false": "false", "yes": "true", "no": "false"}


def unquoted_hint(error: tomli.TOMLDecodeError) -> str:
    """What to write instead of the word that `error` is about; empty where it is about none."""
    source, position = error.doc, error.pos
    start = source.rfind("\n", 0, position) + 1
    line = source[start:].split("\n", 1)[0].rstrip("\r")
    if error.msg.startswith("Expected newline"):  # it began as a number: `100 MB`, `infinite`
        begun = re.match(r"[^=\"'#]*=\s*(?=[\w.+-][^=\"'#]*$)", line)
        position = start + begun.end() if begun else position
    elif error.msg != "Invalid value":
        return ""
    word = re.match(_WORD, source[position:])
    if word is None:
        return ""
    if boolean := _BOOLEANS.get(word[0].lower()):
        return f"Write `{boolean}`."
    corrected = _corrected(line[: position - start], line[position - start :])
    others = source[:start] + corrected + source[start + len(line) :]
    right = _is_right(others, start + len(corrected))
    return f"Strings need quotes: `{corrected.strip()}`." if right else ""


def _corrected(before: str, rest: str) -> str:
    """The line with quotes: a value by itself may have blanks in it, in brackets they end it."""
    alone = re.fullmatch(r"[^=\[{]*=\s*", before) and re.fullmatch(r"(.*?)(\s*|\s+#.*)", rest)
    if alone:
        return f"{before}{quoted(alone[1])}{alone[2]}"
    return before + _TOKENS.sub(lambda m: m["kept"] or _as_value(m["word"]), rest)


def _as_value(word: str) -> str:
    try:
        tomli.loads(f"a = {word}")
    except tomli.TOMLDecodeError:
        return quoted(word)
    return word


def _is_right(source: str, end: int) -> bool:
    """Whether `source` has no error up to `end`."""
    try:
        tomli.loads(source)
    except tomli.TOMLDecodeError as error:
        return error.pos > end
    return True

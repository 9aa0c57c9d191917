"""What to do about text that is no TOML, where it tells what was meant."""

from __future__ import annotations

import ast
import re

import tomli

from ckpt_action.config.unquoted import unquoted_hint
from ckpt_action.config.wording import KeyPath, key_path_text


def declared_twice(error: tomli.TOMLDecodeError) -> KeyPath:
    """The table that the parser names as a tuple of Python; empty where it speaks of none."""
    found = re.fullmatch(r"Cannot declare (\(.*\)) twice", error.msg)
    return tuple(ast.literal_eval(found[1])) if found else ()


def syntax_hint(error: tomli.TOMLDecodeError) -> str:
    """Empty where what was meant is not clear."""
    if table := declared_twice(error):
        return _one_header(error, table)
    if "overwrite" in error.msg:
        return "The same key or table is written twice."
    return _about_value(error) or unquoted_hint(error) or _about_characters(error)


def _one_header(error: tomli.TOMLDecodeError, table: KeyPath) -> str:
    before = error.doc[: error.pos]
    header = re.escape(f"[{key_path_text(table)}]")
    first = re.search(rf"^[ \t]*{header}", before.rpartition("\n")[0], re.MULTILINE)
    line = f" Line {before.count(chr(10), 0, first.end()) + 1} has it already." if first else ""
    also = "One of its keys has a value already, which a header cannot add to."
    return f"Write all of its keys below one header.{line}" if first else also


def _about_value(error: tomli.TOMLDecodeError) -> str:
    before, after = error.doc[: error.pos], error.doc[error.pos :]
    in_shape = re.search(r"\bshape\s*=\s*\[[^\]]*$", before)
    if re.match(r"(None|null|nil)\b", after):
        free = 'A free dimension is a name, such as `"batch"`.'
        return free if in_shape else "TOML has no such value: leave the key out."
    if ellipsis := re.match(r"…|[.]{3}", after):
        return f"Replace `{ellipsis[0]}` by the real {'sizes' if in_shape else 'value'}."
    return ""


def _about_characters(error: tomli.TOMLDecodeError) -> str:
    after = error.doc[error.pos :]
    if _is_backslash(error):
        return "Write paths with `/` on every system; a `\\` that is meant is written `\\\\`."
    if "end of a table declaration" in error.msg and re.match(r"[\w-]", after):
        return "A name has no blanks: write `-` or `_`."
    if "key part" in error.msg and after.startswith("\n"):
        return "A table in braces has to stand on one line, without a comma at its end."
    return ""


def _is_backslash(error: tomli.TOMLDecodeError) -> bool:
    """Whether an escape is no such, or one hides the closing quote: `"C:\\runs\\"`."""
    if "Unescaped" in error.msg or "hex value" in error.msg or "Unicode scalar" in error.msg:
        return True
    line = error.doc[: error.pos].rpartition("\n")[2]
    return "character '\\n'" in error.msg and re.search(r"\\\"[\s\],}]*$", line) is not None

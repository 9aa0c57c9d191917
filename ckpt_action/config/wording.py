"""Keys, values and near misses in messages, as TOML writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ckpt_action.config.vocabulary import ENTRY_POINT

KeyPath = tuple[str | int, ...]
"""Keys and array indexes from the top of the document."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


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


def as_entry_point(value: str, roots: Iterable[str] = ()) -> str:
    """`Write ...` for what was meant by `package/module.py:build`, `package.module.build`, or
    `module:build(5)`; empty where that is not clear. `roots`: folders that modules are named from,
    as `python-path` has them."""
    called = re.fullmatch(r"([^()]*)\((.*)\)", value.strip())
    file, _, attribute = (called[1] if called else value).replace("\\", "/").partition(":")
    module = _below(file.removeprefix("./"), roots).removesuffix(".py").replace("/", ".")
    if not attribute and file.endswith(".py"):
        asks = re.fullmatch(ENTRY_POINT, f"{module}:build")
        return f"Name the function too, as in `{module}:build`." if asks else ""
    if not attribute:
        module, _, attribute = module.rpartition(".")
    meant = f"{module}:{attribute}"
    with_arguments = called and called[2].strip()
    rest = ", and what it is called with as `arguments` of the model" if with_arguments else ""
    return f"Write `{meant}`{rest}." if re.fullmatch(ENTRY_POINT, meant) else ""


def quoted(text: str) -> str:
    """A string as TOML writes it, whole."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _below(file: str, roots: Iterable[str]) -> str:
    """The path of `file` from the innermost of `roots` that it lies below."""
    folders = (f"{root.removeprefix('./').rstrip('/')}/" for root in roots)
    return file.removeprefix(max(filter(file.startswith, folders), key=len, default=""))


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")

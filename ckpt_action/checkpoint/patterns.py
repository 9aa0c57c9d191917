"""Globs of the configuration: `*`, `?`, `[...]`, `**` and braces, and prefixes among them."""

from __future__ import annotations

import glob
import re
from pathlib import Path

_INNERMOST = re.compile(r"\{([^{}]*,[^{}]*)\}")


def expand_braces(pattern: str) -> tuple[str, ...]:
    """`{a,b}/x` is `a/x` and `b/x`; braces may nest."""
    match = _INNERMOST.search(pattern)
    if match is None:
        return (pattern,)
    before, after = pattern[: match.start()], pattern[match.end() :]
    choices = [expand_braces(before + choice + after) for choice in match[1].split(",")]
    return tuple(dict.fromkeys(text for texts in choices for text in texts))


def is_glob(pattern: str) -> bool:
    return glob.has_magic(pattern) or _INNERMOST.search(pattern) is not None


def matches(pattern: str, folder: Path) -> tuple[Path, ...]:
    """Absolute paths that `pattern`, relative to `folder`, matches, without duplicates.

    A prefix has no file of its own name: `ckpt-?` also matches through `ckpt-?.index`.
    """
    found: dict[Path, None] = {}
    for plain in expand_braces(pattern):
        for wanted in (plain, plain + ".index"):
            for name in sorted(glob.glob(wanted, root_dir=folder, recursive=True)):  # noqa: PTH207
                found[Path(folder, name).absolute()] = None
    return tuple(found)

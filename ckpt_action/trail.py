"""What a path leads to: every link on the way, and what is there at the end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MOST_LINKS = 40
"""As Linux counts before it gives up."""
LISTING = "*"
"""As the last part of a path: what Python could import from the folder."""
_MODULES = (".py", ".pyc", ".so", ".pyd")


def trail(path: str) -> dict[str, str]:
    """Path to what is there, for every link that `path` goes through and for its end.

    All are absolute and, but for their last part, free of links.
    """
    found: dict[str, str] = {}
    first, *parts = Path(path).parts
    place, rest, links = first, parts[::-1], 0
    while rest:
        part = rest.pop()
        if part == "..":
            place = os.path.dirname(place)  # noqa: PTH120
            continue
        here = os.path.join(place, part)  # noqa: PTH118
        target = _target(here)
        if target is None:
            place = here
            continue
        found[here] = f"a link to {target}"
        links += 1
        if links > _MOST_LINKS:
            return found
        parts = list(Path(target).parts)
        if Path(target).is_absolute():
            place, parts = parts[0], parts[1:]
        rest.extend(parts[::-1])
    found[place] = kind(place)
    return found


def kind(path: str | Path) -> str:
    """What is at `path` itself, in words that are the same on every machine."""
    if Path(path).name == LISTING:
        return importable(Path(path).parent)
    target = _target(path)
    if target is not None:
        return f"a link to {target}"
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return "nothing"
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    return f"a file of {found.st_size} bytes" if stat.S_ISREG(found.st_mode) else "no plain file"


def importable(folder: Path) -> str:
    """The modules of `folder`, and its folders that hold one: a new one may hide another."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _is_importable(entry))
    except OSError:
        return "nothing"
    return f"modules {', '.join(names)}"


def modules(listing: str) -> set[str]:
    """The names in what `importable` says."""
    return set(filter(None, listing.removeprefix("modules ").split(", "))) - {"nothing"}


def _is_importable(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith((".", "__pycache__")):
        return False
    try:
        if entry.is_dir():
            return any(name.endswith(_MODULES) for name in os.listdir(entry.path))  # noqa: PTH208
    except OSError:
        return False
    return entry.name.endswith(_MODULES)


def _target(path: str | Path) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115
    except (OSError, ValueError):
        return None

"""What git says, asked by its own program."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path


def ignored(files: Iterable[Path]) -> tuple[Path, ...]:
    """Those of `files` that a commit leaves out; none outside of git. Committed ones never are.

    Asked where they lie, each folder for itself: git gives no answer about any file where one is
    behind a link, in a submodule or outside.
    """
    folders: dict[Path, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        real = file.resolve()
        folders[real.parent][real.name].append(file)
    return tuple(file for folder, names in folders.items() for file in _ignored_in(folder, names))


def _ignored_in(folder: Path, names: Mapping[str, Sequence[Path]]) -> Iterator[Path]:
    answer = git(folder, "check-ignore", "-z", "--stdin", stdin="\0".join(names))
    for name in filter(None, (answer or "").split("\0")):
        yield from names[name]


def git(folder: Path, *arguments: str, stdin: str = "") -> str | None:
    """Its output; None where it fails or is not installed."""
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError:
        return None
    return answer.stdout if answer.returncode == 0 else None

"""What git says about the sources of an export."""

from __future__ import annotations

import hashlib
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.digests import file_digest


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Which commit was exported, and whether it says everything."""

    commit: str | None = None
    """None outside of git."""
    dirty: bool = False
    """Files below the configuration's folder are not as they were committed."""
    uncommitted: str = ""
    """Digest of these files; empty where there are none."""


def read_checkout(folder: Path, output_dir: Path) -> Checkout:
    """The state of `folder`, apart from what exports write into `output_dir`."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return Checkout()
    paths = ["."]
    if output_dir != folder and output_dir.is_relative_to(folder):
        paths.append(f":(exclude,literal){output_dir.relative_to(folder).as_posix()}")
    status = _git(
        folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths
    )
    if status is None:
        return Checkout(commit=commit.strip(), dirty=True)
    if not (changed := [*_changed(status)]):
        return Checkout(commit=commit.strip())
    root = Path((_git(folder, "rev-parse", "--show-toplevel") or "").rstrip("\n"))
    return Checkout(commit=commit.strip(), dirty=True, uncommitted=_digest(root, changed))


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
    answer = _git(folder, "check-ignore", "-z", "--stdin", stdin="\0".join(names))
    for name in filter(None, (answer or "").split("\0")):
        yield from names[name]


def _changed(status: str) -> Iterator[str]:
    """Paths from the root. Of files that git does not know only code counts: checkpoints often are
    not committed."""
    for entry in filter(None, status.split("\0")):
        if not entry.startswith("?? ") or entry.endswith(".py"):
            yield entry[3:]


def _digest(root: Path, paths: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        file = root / path
        found = file_digest(file) if file.is_file() else "not here"
        digest.update(f"{found}  {path}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _git(folder: Path, *arguments: str, stdin: str = "") -> str | None:
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

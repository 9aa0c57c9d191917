"""The commit that the sources of an export are from, and how they differ from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.digests import file_digest
from ckpt_action.git import git


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
    commit = git(folder, "rev-parse", "HEAD")
    if not commit:
        return Checkout()
    paths = ["."]
    if output_dir != folder and output_dir.is_relative_to(folder):
        paths.append(f":(exclude,literal){output_dir.relative_to(folder).as_posix()}")
    status = git(
        folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths
    )
    if status is None:
        return Checkout(commit=commit.strip(), dirty=True)
    if not (changed := [*_changed(status)]):
        return Checkout(commit=commit.strip())
    root = Path((git(folder, "rev-parse", "--show-toplevel") or "").rstrip("\n"))
    return Checkout(commit=commit.strip(), dirty=True, uncommitted=_digest(root, changed))


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

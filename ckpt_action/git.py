"""What git says about the sources of an export."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Which commit was exported, and whether it says everything."""

    commit: str | None = None
    """None outside of git."""
    dirty: bool = False
    """Files below the configuration's folder are not as they were committed."""


def read_checkout(folder: Path, output_dir: Path) -> Checkout:
    """The state of `folder`, apart from what exports write into `output_dir`."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return Checkout()
    paths = ["."]
    if output_dir != folder and output_dir.is_relative_to(folder):
        paths.append(f":(exclude,literal){output_dir.relative_to(folder).as_posix()}")
    status = _git(folder, "status", "--porcelain", "-z", "--untracked-files=all", "--", *paths)
    return Checkout(commit=commit.strip(), dirty=status is None or _says_changed(status))


def _says_changed(status: str) -> bool:
    """Of files that git does not know only code counts: checkpoints often are not committed."""
    entries = filter(None, status.split("\0"))
    return any(not entry.startswith("?? ") or entry.endswith(".py") for entry in entries)


def _git(folder: Path, *arguments: str) -> str | None:
    """Its output; None where it fails or is not installed."""
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return answer.stdout if answer.returncode == 0 else None

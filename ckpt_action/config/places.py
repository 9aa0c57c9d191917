"""Paths of a configuration: POSIX style, relative to its file, inside its repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, kw_only=True)
class Places:
    """What the relative paths of one file start from, and what they may not leave."""

    folder: Path
    """Absolute folder of the file."""
    repository: Path
    """The nearest folder around it that holds `.git`, else `folder`."""

    def resolve(self, text: str) -> Path:
        """Absolute path of `text`; links are not followed."""
        return Path(os.path.normpath(self.folder / text))

    def shown(self, path: Path | str) -> str:
        """A path below the file's folder as the file would name it, any other in full."""
        path = Path(path)
        below = self.folder in path.parents
        return (path.relative_to(self.folder) if below else path).as_posix()

    def refusal(self, text: str) -> str:
        """Why `text` cannot be a path of this configuration; empty where it can."""
        if "\\" in text:
            return "is written with backslashes; use `/` on every system"
        if text.startswith(("/", "~")) or _DRIVE.match(text):
            return "is not relative to this file"
        if not _lies_in(self.resolve(text), self.repository):
            return "leads out of the repository"
        existing = os.path.realpath(self.resolve(_fixed_part(text)))
        if not _lies_in(Path(existing), Path(os.path.realpath(self.repository))):
            return "leads out of the repository through a link"
        return ""


def places_of(file: Path) -> Places:
    """The places of the configuration `file`, which may be relative to the working directory."""
    folder = Path(os.path.normpath(Path.cwd() / file)).parent
    for candidate in (folder, *folder.parents):
        if candidate.joinpath(".git").exists():
            return Places(folder=folder, repository=candidate)
    return Places(folder=folder, repository=folder)


def _fixed_part(pattern: str) -> str:
    """The parts of a glob before the first one with a wildcard."""
    fixed = []
    for part in pattern.split("/"):
        if any(char in part for char in "*?["):
            break
        fixed.append(part)
    return "/".join(fixed) or "."


def _lies_in(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents

"""Paths of a configuration: POSIX style, relative to its file, inside its repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.config.wording import value_text
from ckpt_action.repository import other_bases, path_from, repository_of

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

    def elsewhere(self, text: str) -> str:
        """What to write for the file `text` where it is one from another folder than this file's;
        empty where there is none."""
        found = (base / text for base in other_bases(self.folder) if (base / text).is_file())
        return next((path_from(self.folder, file) for file in found), "")

    def correction(self, text: str) -> str:
        """How to write `text`, which `refusal` refuses, where that is clear: `Write ...`."""
        plain = text.replace("\\", "/")
        written = path_from(self.folder, Path(plain)) if Path(plain).is_absolute() else plain
        return "" if self.refusal(written) else f"Write {value_text(written)}."

    def refusal(self, text: str) -> str:
        """Why `text` cannot be a path of this configuration; empty where it can."""
        if "\\" in text:
            return "is written with backslashes; use `/` on every system"
        if any(ord(char) < 32 for char in text):  # `"runs\new"`
            return "holds a control character, as `\\n` and `\\t` are; use `/` on every system"
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
    return Places(folder=folder, repository=repository_of(folder))


def outer_file(file: Path) -> Path | None:
    """The nearest file of this name in a folder around that of `file`, in the same repository."""
    places = places_of(file)
    around = [path for path in places.folder.parents if _lies_in(path, places.repository)]
    return next((path / file.name for path in around if (path / file.name).is_file()), None)


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

"""The repository around a folder, and where else in it a path may have been meant to start."""

from __future__ import annotations

import os
from pathlib import Path


def repository_of(folder: Path) -> Path:
    """The nearest of the absolute `folder` and those around it that holds `.git`, else `folder`."""
    around = (folder, *folder.parents)
    return next((path for path in around if path.joinpath(".git").exists()), folder)


def other_bases(folder: Path) -> tuple[Path, ...]:
    """The repository's root and the working directory in it, but for `folder` itself."""
    root, here = repository_of(folder), Path.cwd()
    bases = (root, here) if here.is_relative_to(root) else (root,)
    return tuple(base for base in dict.fromkeys(bases) if base != folder)


def path_from(folder: Path, path: Path) -> str:
    """`path` as one writes it in a file of `folder`: `../runs/x`."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()

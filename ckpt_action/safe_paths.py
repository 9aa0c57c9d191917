"""A folder may come from elsewhere: its manifest must not lead to other files of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ckpt_action.manifest import Manifest


def ways_out(manifest: Manifest, folder: Path) -> Iterator[str]:
    """A sentence for each path that leaves `folder`, and each symbolic link in it."""
    for artifact in (a for job in manifest.jobs for a in job.artifacts):
        if not is_inside(folder / artifact.folder, folder):
            yield f"The manifest names a folder outside of the folder: {artifact.folder}."
        for path in (f"{artifact.folder}/{file.path}" for file in artifact.files):
            if not is_inside(folder / path, folder):
                yield f"The manifest names a file outside of the folder: {path}."
    for file in sorted(folder.rglob("*")):
        if file.is_symlink():
            yield f"{file.relative_to(folder)} is a symbolic link."


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` lies in `folder` after all links and `..`."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except ValueError:  # a NUL in the path
        return False


def plain_path(path: str) -> bool:
    """Whether `path` goes down only: relative, and without `.` and `..`."""
    parts = path.replace("\\", "/").split("/")
    return ":" not in parts[0] and not {"", ".", ".."} & set(parts)

"""Real paths of many files: thousands of modules are asked about, in some hundred folders."""

from __future__ import annotations

import os
import stat

_lstat = os.lstat
"""As it is before `Lookups` listens to who calls it."""


class RealPaths:
    """Each folder is looked up once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {"": ""}

    def folder_of(self, file: str) -> str:
        """The real folder of the absolute and normal path `file`."""
        if _is_link(file):
            return os.path.dirname(os.path.realpath(file))  # noqa: PTH120
        return self._real(file.rpartition(os.sep)[0])

    def _real(self, folder: str) -> str:
        if folder not in self._folders:
            parent, _, name = folder.rpartition(os.sep)
            self._folders[folder] = (
                os.path.realpath(folder)
                if _is_link(folder)
                else f"{self._real(parent)}{os.sep}{name}"
            )
        return self._folders[folder]


def _is_link(name: str) -> bool:
    try:
        return stat.S_ISLNK(_lstat(name).st_mode)
    except (OSError, ValueError):
        return False

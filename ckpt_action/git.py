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
    answers = (
        (names, git(folder, "check-ignore", "-z", "--stdin", stdin="\0".join(names)) or "")
        for folder, names in _by_folder(files).items()
    )
    return tuple(
        file for names, answer in answers for name in _listed(answer) for file in names[name]
    )


def untracked(files: Iterable[Path]) -> tuple[Path, ...]:
    """Those of `files` that no commit will have until somebody adds them, ignored ones too; none
    outside of git. Asked as `ignored` is."""
    answers = (
        (names, git(folder, "--literal-pathspecs", "ls-files", "-z", "--", *names))
        for folder, names in _by_folder(files).items()
    )
    return tuple(
        file
        for names, answer in answers
        if answer is not None
        for name in names.keys() - {*_listed(answer)}
        for file in names[name]
    )


def _by_folder(files: Iterable[Path]) -> Mapping[Path, Mapping[str, Sequence[Path]]]:
    """Real folder to real name to the files that lead there."""
    folders: dict[Path, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        real = file.resolve()
        folders[real.parent][real.name].append(file)
    return folders


def _listed(answer: str) -> Iterator[str]:
    return filter(None, answer.split("\0"))


def git(folder: Path, *arguments: str, stdin: str = "") -> str | None:
    """Its output; None where it fails or is not installed. No program that the settings of a
    repository name is started: whoever made `folder` may have made these too."""
    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "--no-optional-locks", *arguments],
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

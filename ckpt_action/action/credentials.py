"""Whether a checkout has left a token or a key where the code that is exported could read it."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from ckpt_action.errors import ExitCode, Problem, fail, warning

_KEPT = re.compile(
    r"^\s*(extraheader\s*=\s*[\"']?authorization:"  # actions/checkout up to v5
    r"|path\s*=.*git-credentials-[\w-]+\.config"  # from v6 on; the file lies beside the workspace
    r"|sshcommand\s*=.*-i\s"  # its input `ssh-key`
    # A password, or a name that is a token; a mere name opens nothing.
    r"|((url|pushurl)\s*=|\[url)\s*\"?https?://"
    r"([^/\s@:]*:[^/\s@]+|gh[a-z]_[^/\s@:]+|[A-Za-z0-9_]{20,}:?)@"
    r"|helper\s*=\s*[\"']?store)",  # a file of passwords
    re.IGNORECASE | re.MULTILINE,
)
_MOST = 20_000
"""Folders that are looked into: half a second."""
_NOT_SEARCHED = frozenset({"node_modules", "site-packages", "__pycache__"})


def refuse_kept_credentials(workspace: Path, most: int = _MOST) -> tuple[Problem, ...]:
    """Raise where the settings of a clone in `workspace` hold one, or say where it is.

    Returns a warning where there are more than `most` folders, the deepest of which are left out.
    """
    clones, whole = _clones(workspace, most)
    files = dict.fromkeys(file for clone in clones for file in _settings(clone))
    if kept := [_shown(file, workspace) for file in files if _keeps(file)]:
        raise fail(
            ExitCode.USAGE,
            f"The checkout has left its token in {', '.join(kept)}, where the code that is "
            "exported can read it.",
            hint="Give the actions/checkout step `with: { persist-credentials: false }`. What "
            "pushes belongs into a job of its own.",
        )
    if whole:
        return ()
    return (
        warning(
            ExitCode.USAGE,
            f"The workspace has more than {most} folders; only the upper ones were searched "
            "for tokens that a checkout has left.",
            hint="A checkout further down needs `persist-credentials: false` too.",
        ),
    )


def _clones(workspace: Path, most: int) -> tuple[list[Path], bool]:
    """Every `.git` in at most `most` folders, the upper ones first; whether these were all."""
    found: list[Path] = []
    folders, seen = deque([workspace]), 0
    while folders and seen < most:
        seen += 1
        try:
            entries = sorted(os.scandir(folders.popleft()), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name == ".git":
                found.append(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False) and entry.name not in _NOT_SEARCHED:
                folders.append(Path(entry.path))
    return found, not folders


def _settings(git: Path) -> Iterator[Path]:
    """Of a clone, its submodules and its working trees. `git` may be a file that says where they
    are, as in a submodule and in a working tree."""
    if git.is_file():
        git = _named(git, "gitdir: ", git.parent) or git
    for folder in (git, _named(git / "commondir", "", git)):
        if folder is not None:
            yield from (folder / "config", folder / "config.worktree")
            yield from sorted(folder.glob("modules/**/config"))
            yield from sorted(folder.glob("worktrees/*/config.worktree"))


def _named(file: Path, before: str, folder: Path) -> Path | None:
    """The folder that `file` names, relative to `folder`; None where it names none."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
    return Path(os.path.normpath(folder / text.removeprefix(before)))


def _shown(file: Path, workspace: Path) -> str:
    inside = file.is_relative_to(workspace)
    return (file.relative_to(workspace) if inside else file).as_posix()


def _keeps(file: Path) -> bool:
    try:
        return _KEPT.search(file.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False

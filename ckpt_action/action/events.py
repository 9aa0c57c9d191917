"""Whether the event that started a job lets a stranger's code run with the repository's rights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ckpt_action.errors import ExitCode, fail

_HEADS = {
    "pull_request_target": ("pull_request", "head", "repo", "full_name"),
    "workflow_run": ("workflow_run", "head_repository", "full_name"),
}


def refuse_foreign_head(environ: Mapping[str, str]) -> None:
    """Raise for events that run with secrets and a writable token about a fork's commit.

    Exporting runs the code that is checked out. What cannot be read is taken to be foreign.
    """
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event not in _HEADS:
        return
    head = _look_up(environ.get("GITHUB_EVENT_PATH", ""), _HEADS[event])
    own = environ.get("GITHUB_REPOSITORY", "")
    if head and own and head.casefold() == own.casefold():
        return
    raise fail(
        ExitCode.USAGE,
        f"A `{event}` event from {head or 'an unknown repository'} is refused: exporting runs the "
        "code that is checked out, and this event gives a stranger's code the repository's "
        "secrets.",
        hint="Start the export by `pull_request` or `push`; `ckpt-action validate` runs no code.",
    )


def _look_up(event_file: str, keys: tuple[str, ...]) -> str:
    try:
        found: Any = json.loads(Path(event_file).read_text(encoding="utf-8"))
        for key in keys:
            found = found[key]
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    return found if isinstance(found, str) else ""

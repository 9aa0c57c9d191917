"""What the user's code does that no digest stands for: it lists folders, runs programs, connects.

Python tells of these by audit events. Whose doing one is, the stack tells: an import, and what this
package does by itself, is not the code's.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from ckpt_action.engine.rebuild.user_code import is_users

_EVENTS = {
    "os.listdir": "the list of a folder's files",
    "os.scandir": "the list of a folder's files",
    "subprocess.Popen": "what a program printed",
    "os.system": "what a program did",
    "os.exec": "what a program did",
    "os.posix_spawn": "what a program did",
    "os.fork": "what another process did",
    "socket.connect": "the network",
    "socket.getaddrinfo": "the network",
    "sqlite3.connect": "a database",
}
_OURS = f"{Path(__file__).resolve().parents[1]}{os.sep}"


def listen(unrecorded: set[str], roots: Sequence[Path]) -> None:
    """Put into `unrecorded` what the code below `roots` does from now on."""

    def hear(event: str, _: tuple[object, ...]) -> None:
        what = _EVENTS.get(event)
        if what and what not in unrecorded and asked_by_users(sys._getframe(1), roots):  # noqa: SLF001
            unrecorded.add(what)

    sys.addaudithook(hear)


def asked_by_users(
    frame: types.FrameType | None, roots: Sequence[Path], *, but: tuple[str, ...] = ()
) -> bool:
    """Whether the user's code asked for this, by way of whatever library that is not in `but`."""
    while frame is not None:
        name = frame.f_code.co_filename
        if is_users_frame(frame, roots):
            return True
        if "importlib" in name or name.startswith(_OURS) or set(Path(name).parts) & set(but):
            return False
        frame = frame.f_back
    return False


def is_users_frame(frame: types.FrameType, roots: Sequence[Path]) -> bool:
    name = frame.f_code.co_filename
    below = any(name.startswith(f"{root}{os.sep}") for root in roots)
    return below and is_users(Path(name), roots)

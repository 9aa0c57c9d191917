"""From the way a child process ended to a sentence that a person can act on."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from ckpt_action.errors import ExitCode, Problem
from ckpt_action.processes.requests import Ended, Request

_LOG_LINES = 30
_NATIVE = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"}


def crash_problem(request: Request, ended: Ended, *, oom_killed: bool) -> Problem:
    """Why a child ended without a result. `oom_killed`: the kernel killed something meanwhile."""
    message, hint = _cause(request, ended, oom_killed=oom_killed)
    stage = _read(request.work / "stage").strip()
    if stage:
        message = f"{message} It was busy with: {stage}."
    return Problem(code=ExitCode.CRASH, message=message, hint=hint, details=log_tail(request.work))


def log_tail(work: Path) -> tuple[str, ...]:
    """The last lines that the child printed."""
    return tuple(_read(work / "log").splitlines()[-_LOG_LINES:])


def _cause(request: Request, ended: Ended, *, oom_killed: bool) -> tuple[str, str]:
    if ended.timed_out:
        return (
            f"The process took longer than {request.timeout:g} s and was stopped.",
            "Look at the end of its log; raise the model's `timeout` if it was only slow.",
        )
    if ended.signal is None:
        return (
            f"The process ended itself with status {ended.exit_code} before it was done.",
            "Some code called os._exit, or a library ended the process; see the end of its log.",
        )
    name = _signal_name(ended.signal)
    if name == "SIGKILL":
        cause = (
            "the kernel ran out of memory"
            if oom_killed
            else "most likely memory ran out, though the kernel's counters do not show it"
        )
        return (
            f"The process was killed ({name}): {cause}.",
            "Run with --jobs 1, or on a machine with more memory.",
        )
    if name == "SIGABRT":
        return (
            f"The process aborted ({name}): a check inside native code failed.",
            "The check is in the last lines of its log.",
        )
    if name in _NATIVE:
        return (
            f"The process crashed ({name}) in native code.",
            "Look at the end of its log; custom ops built for another TensorFlow do this.",
        )
    return f"The process was ended by {name}.", "Somebody or something outside sent that signal."


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""

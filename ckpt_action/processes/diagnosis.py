"""From the way a child process ended to a sentence that a person can act on."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ckpt_action.errors import ExitCode, Problem
from ckpt_action.processes.requests import LOG, Ended, Request
from ckpt_action.secret_names import masked

_CRASH_LINES = 30
_LOG_LINES = 15
"""Of a child that could say itself what was wrong."""
_LINE = 400
"""Characters of one line at most."""
_NO_GPU = "failed call to cuInit"
"""TensorFlow says so at its first op, for children see no GPU."""
_NATIVE = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"}


def crash_problem(request: Request, ended: Ended, *, oom_killed: bool) -> Problem:
    """Why a child ended without a result. `oom_killed`: the kernel killed something meanwhile."""
    message, hint = _cause(request, ended, oom_killed=oom_killed)
    if stage := last_stage(request):
        message = f"{message} It was busy with: {stage}."
    printed = _printed(request.work, _CRASH_LINES) or ("It printed nothing.",)
    return Problem(code=ExitCode.CRASH, message=message, hint=hint, details=printed)


def last_stage(request: Request) -> str:
    """What the child was busy with last; empty where it did not say."""
    return _read(request.work / "stage").decode(errors="replace").strip()


def with_output(
    problems: tuple[Problem, ...], work: Path, part: tuple[int, int] | None = None
) -> tuple[Problem, ...]:
    """`problems` of a child that failed, the last error with what the child had printed.

    `part`: only what lies between these two bytes of its log, for a child does several things.
    """
    printed = _printed(work, _LOG_LINES, part)
    errors = [i for i, p in enumerate(problems) if p.is_error]
    if not printed or not errors:
        return problems
    last = errors[-1]
    told = replace(problems[last], details=(*problems[last].details, *printed))
    return (*problems[:last], told, *problems[last + 1 :])


def _printed(work: Path, most: int, part: tuple[int, int] | None = None) -> tuple[str, ...]:
    """The last lines that the child printed, under a title; nothing where there are none."""
    log = _read(work / LOG)[slice(*part) if part else slice(None)]
    lines = masked(log.decode(errors="replace"), os.environ).splitlines()
    told = [_cut(line) for line in lines if line.strip() and _NO_GPU not in line]
    return ("It printed last:", *told[-most:]) if told else ()


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _cause(request: Request, ended: Ended, *, oom_killed: bool) -> tuple[str, str]:
    if ended.timed_out:
        return (
            f"The process took longer than {request.timeout:g} s and was stopped.",
            "Raise the model's `timeout` if it was only slow.",
        )
    if ended.signal is None:
        return (
            f"The process ended itself with status {ended.exit_code} before it was done.",
            "Some code called os._exit, or a library ended the process.",
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
            "What it printed last mostly names the check.",
        )
    if name in _NATIVE:
        return (
            f"The process crashed ({name}) in native code.",
            "Custom ops built for another TensorFlow do this.",
        )
    return f"The process was ended by {name}.", "Somebody or something outside sent that signal."


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""

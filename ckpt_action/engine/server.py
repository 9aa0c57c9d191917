"""A process that imports TensorFlow once, runs no operation, and forks a child per request.

Forking copies one thread only, so it is safe exactly while this process has one: after the import,
before any operation. Linux tells how many there are; where that is unknown or more than one, the
server says so in its greeting and the parent spawns fresh interpreters instead.

Requests are JSON lines on stdin: {"id", "task", "arguments", "work"} starts a child, {"kill": id}
ends one. Answers are JSON lines on what was stdout: first {"ready": true, "threads"} or
{"ready": false, "missing", "absent", "message"}; then {"id", "exit_code", "signal", "seconds",
"peak_rss"} per ended child, or {"id", "refused": why} for one that could not be forked. End of
stdin ends the server and every child.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import selectors
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ckpt_action.engine.targets import registry
from ckpt_action.engine.worker import flush_output, run_task
from ckpt_action.processes.requests import LOG

_PR_SET_PDEATHSIG = 1
_PRELOADED = (
    "ckpt_action.engine.export_job",
    "ckpt_action.engine.verify_job",
    # What each child would import again, for every job.
    "ckpt_action.engine.freeze.artifact",
    "ckpt_action.engine.freeze.io_json",
    "ckpt_action.engine.prepare",
    "ckpt_action.engine.saved_model.artifact",
    "ckpt_action.engine.saved_model.write",
    "encodings.cp437",  # names in a zip file
    "numpy.ma",
    "numpy.random",
)


class Server:
    """One thread, one loop: lines from stdin, ends of children."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._children: dict[int, tuple[int, float]] = {}
        """Process id to (request id, start)."""
        self._pending = b""

    def serve(self) -> None:
        """Until stdin ends."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as events:
            events.register(0, selectors.EVENT_READ)
            events.register(woken, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in events.select()}
                if woken in ready:
                    os.read(woken, 4096)
                    self._reap()
                if 0 in ready and not self._read():
                    break
        for child in self._children:
            _kill_group(child)

    def _read(self) -> bool:
        chunk = os.read(0, 1 << 16)
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "kill" in request:
                self._kill(request["kill"])
            else:
                self._start(request)
        return bool(chunk)

    def _kill(self, request: int) -> None:
        for child, (identifier, _) in self._children.items():
            if identifier == request:
                _kill_group(child)

    def _start(self, request: dict[str, Any]) -> None:
        if threads() != 1:
            refused = "it has more than one thread: `sitecustomize` or a library began it"
            self._answer({"id": request["id"], "refused": refused})
            return
        started, server = time.monotonic(), os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            self._answer({"id": request["id"], "refused": str(error)})
            return
        if not child:
            _become_child(request, server, self._answers)
        with suppress(OSError):  # the child does the same; whoever comes first
            os.setpgid(child, child)
        self._children[child] = (request["id"], started)

    def _reap(self) -> None:
        for child in _ended():
            # Whatever the child started and left behind dies with it, before its id is free again.
            _kill_group(child)
            _, status, usage = os.wait4(child, 0)
            identifier, started = self._children.pop(child)
            code = os.waitstatus_to_exitcode(status)
            self._answer(
                {
                    "id": identifier,
                    "exit_code": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "seconds": time.monotonic() - started,
                    "peak_rss": usage.ru_maxrss * 1024,
                }
            )

    def _answer(self, answer: dict[str, Any]) -> None:
        os.write(self._answers, json.dumps(answer).encode() + b"\n")


def threads() -> int:
    """Threads of this process; 0 where the platform does not tell."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 0


def _ended() -> Iterator[int]:
    """Children that ended and are not yet waited for."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None:
            return
        yield found.si_pid


def _kill_group(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _become_child(request: dict[str, Any], server: int, answers: int) -> None:
    """Never returns."""
    status = 1
    try:
        _leave_server(Path(request["work"]), server, answers)
        run_task(request["task"], request["arguments"], Path(request["work"]))
        flush_output()
        status = 0
    finally:
        os._exit(status)


def _leave_server(work: Path, server: int, answers: int) -> None:
    """Own group, own output, default signals; dies with the server, and first when memory ends."""
    with suppress(OSError):
        os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it died before it could be asked for
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(answers)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(work / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.enable()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _import_everything() -> dict[str, Any]:
    """The greeting. Garbage collection during the import costs a third of its time."""
    gc.disable()
    try:
        for name in ("tensorflow", *_keras(), *_PRELOADED):
            importlib.import_module(name)
        registry()
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        return {"ready": False, "missing": error.name, "absent": absent, "message": str(error)}
    finally:
        # Before it looks at everything for the first time: next to nothing of it is garbage.
        gc.freeze()
        gc.enable()
    return {"ready": True, "threads": threads()}


def _keras() -> tuple[str, ...]:
    return ("tf_keras",) if os.environ.get("TF_USE_LEGACY_KERAS") == "1" else ("keras",)


def main() -> None:
    """Greet, then serve."""
    answers = os.dup(1)
    os.dup2(2, 1)
    server = Server(answers)
    greeting = _import_everything()
    server._answer(greeting)  # noqa: SLF001
    if greeting["ready"]:
        server.serve()
    os._exit(0)


if __name__ == "__main__":
    main()

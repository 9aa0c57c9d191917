"""The parent's end of a child process: a server that forks them, or a fresh interpreter each."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from ckpt_action.codec import to_data
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail
from ckpt_action.processes.requests import LOG, Ended, Request

_START_TIMEOUT = 600.0


class CannotFork(Exception):  # noqa: N818 - an answer rather than an error
    """The server has more than one thread, or the machine no room for another process."""


class ServerDied(Exception):  # noqa: N818
    """The server process ended while it was needed."""

    def __init__(self, log: Path, status: int | None) -> None:
        lines = log.read_text(errors="replace").splitlines()[-30:] if log.is_file() else []
        self.problem = Problem(
            code=ExitCode.CRASH,
            message=f"The process that forks the children died (status {status}), and this one "
            "with it. Later ones get a new one.",
            hint="Most likely memory ran out: run with --jobs 1, or on a larger machine.",
            details=tuple(lines),
        )
        super().__init__(self.problem.message)


class ServerProcess:
    """One `ckpt_action.engine.server`. Safe to use from several threads."""

    def __init__(self, environ: Mapping[str, str], folder: Path, log: Path) -> None:
        self._log = log
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ckpt_action.engine.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(environ),
                cwd=folder,
                start_new_session=True,  # a Ctrl-C at the terminal is the parent's to handle
            )
        self._numbers = itertools.count()
        self._writing = threading.Lock()
        self._greeting: Future[dict[str, Any]] = Future()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self.alive = True
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def greeting(self) -> Mapping[str, Any]:
        """What the server said after its imports; raises ServerDied where it could not."""
        try:
            return self._greeting.result(_START_TIMEOUT)
        except FutureTimeout:
            self.close()
            raise ServerDied(self._log, None) from None

    def run(self, request: Request) -> Ended:
        """Fork a child for `request`, wait for its end, kill it when its time is over."""
        number = next(self._numbers)
        future: Future[dict[str, Any]] = Future()
        self._waiting[number] = future
        self._send(
            {
                "id": number,
                "task": request.task,
                "arguments": to_data(request.arguments),
                "work": str(request.work),
            }
        )
        timed_out = False
        try:
            answer = future.result(request.timeout)
        except FutureTimeout:
            timed_out = True
            self._send({"kill": number})
            answer = future.result()
        if "refused" in answer:
            raise CannotFork(answer["refused"])
        del answer["id"]
        return Ended(**answer, timed_out=timed_out)

    def close(self) -> None:
        """End the server and, with it, its children."""
        self._process.kill()
        self._listener.join()
        assert self._process.stdin
        with self._writing, contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            with self._writing:
                assert self._process.stdin
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()
        except (OSError, ValueError):  # ValueError: closed by us
            raise ServerDied(self._log, self._process.wait()) from None

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as answers:
            for line in answers:
                answer = json.loads(line)
                if "ready" in answer:
                    self._greeting.set_result(answer)
                else:
                    self._waiting.pop(answer["id"]).set_result(answer)
        self.alive = False
        died = ServerDied(self._log, self._process.wait())
        for future in [self._greeting, *self._waiting.values()]:
            if not future.done():
                future.set_exception(died)


class Spawner:
    """Fresh interpreters: where forking is not possible. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """The children start in `folder`."""
        self._folder = folder
        self._changing = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def run(self, request: Request, environ: Mapping[str, str]) -> Ended:
        """One child for `request`, killed when its time is over.

        Raises CkptActionError (CRASH) where `close` has ended it, or came before.
        """
        started = time.monotonic()
        process = self._start(request, environ)
        timed_out = threading.Event()

        def end() -> None:
            timed_out.set()  # before the kill: `_wait` may return before this function does
            _kill(process)

        timer = threading.Timer(request.timeout, end)
        timer.start()
        try:
            _hand_over(process, request)
            status, peak = _wait(process)
        except BaseException:
            _kill(process)
            raise
        finally:
            timer.cancel()
            with self._changing:
                self._running.discard(process)
        if self._closed and not timed_out.is_set():
            raise _stopped()
        return Ended(
            exit_code=status if status >= 0 else None,
            signal=-status if status < 0 else None,
            timed_out=timed_out.is_set(),
            seconds=time.monotonic() - started,
            peak_rss=peak,
        )

    def close(self) -> None:
        """Kill every child; none is started any more."""
        with self._changing:
            self._closed = True
            for process in self._running:
                _kill(process)

    def _start(self, request: Request, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._changing, (request.work / LOG).open("ab") as log:
            if self._closed:
                raise _stopped()
            process = subprocess.Popen(
                [sys.executable, "-m", "ckpt_action.engine.worker"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(environ),
                cwd=self._folder,
                start_new_session=True,
            )
            self._running.add(process)
        return process


def _stopped() -> CkptActionError:
    return fail(ExitCode.CRASH, "The run was stopped.")


def _hand_over(process: subprocess.Popen[bytes], request: Request) -> None:
    message = {
        "task": request.task,
        "arguments": to_data(request.arguments),
        "work": str(request.work),
    }
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(json.dumps(message).encode())  # a broken pipe: its status tells


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """(exit status as subprocess has it, peak RSS in bytes or 0)."""
    if sys.platform == "win32":
        return process.wait(), 0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and, where there are process groups, what it started."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

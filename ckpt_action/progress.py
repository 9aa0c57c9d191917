"""What is being done right now: one line kept up to date on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

from ckpt_action.report.workflow_commands import sanitize

_INTERVAL = 15.0
_CLEAR = "\r\x1b[K"


class Progress:
    """Called with a job's name and what it is doing, from any thread. Use as a context manager."""

    def __init__(self, stream: TextIO, *, interval: float = _INTERVAL) -> None:
        """`interval`: seconds after which what still goes on is told of again."""
        self._stream = stream
        self._interval = interval
        self._lock = threading.Lock()
        self._doing: dict[str, str] = {}
        self._live = stream.isatty()

    def __enter__(self) -> Progress:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live and self._doing:
            self._write(_CLEAR)

    def __call__(self, job: str, doing: str) -> None:
        with self._lock:
            self._doing[job] = doing
            if not self._live:
                self._write(sanitize(f"{job}: {doing}\n"))
                return
            line = " | ".join(f"{name}: {what}" for name, what in self._doing.items())
            line = sanitize(line).replace("\n", " ")
            self._write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])

    @contextmanager
    def waiting(self, job: str, stage: Callable[[], str]) -> Iterator[None]:
        """Inside, `job` says from time to time that it goes on, at which `stage`, and how long."""
        ended = threading.Event()
        teller = threading.Thread(target=self._tell, args=(job, stage, ended), daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()

    def _tell(self, job: str, stage: Callable[[], str], ended: threading.Event) -> None:
        begun, doing = time.monotonic(), self._doing.get(job, "")
        while not ended.wait(self._interval):
            self(job, f"{stage() or doing} ({time.monotonic() - begun:.0f} s)")

    def done(self, job: str, result: str) -> None:
        """`job` has ended; its line stays."""
        with self._lock:
            self._doing.pop(job, None)
            self._write((_CLEAR if self._live else "") + sanitize(f"{job}: {result}\n"))

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

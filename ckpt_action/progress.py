"""What is being done right now: one line kept up to date on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import threading
from types import TracebackType
from typing import TextIO

_CLEAR = "\r\x1b[K"


class Progress:
    """Called with a job's name and what it is doing, from any thread. Use as a context manager."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
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
                self._write(f"{job}: {doing}\n")
                return
            line = " | ".join(f"{name}: {what}" for name, what in self._doing.items())
            self._write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])

    def done(self, job: str, result: str) -> None:
        """`job` has ended; its line stays."""
        with self._lock:
            self._doing.pop(job, None)
            self._write(f"{_CLEAR if self._live else ''}{job}: {result}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

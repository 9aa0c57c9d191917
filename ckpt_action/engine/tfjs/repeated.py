"""One call of a model in Node, as often as asked for: a line in, a line out."""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Callable, Sequence

from ckpt_action.errors import CkptActionError


class Repeated:
    """Calling it makes one call. The process ends when nobody holds this any more."""

    def __init__(self, command: Sequence[str], stopped: Callable[[str], CkptActionError]) -> None:
        """Returns when the process is ready; `stopped` says what its last words mean."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._stopped = stopped
        weakref.finalize(self, _end, self._process)
        self._wait()

    def __call__(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write("\n")
            stdin.flush()
        except BrokenPipeError:
            pass  # it died, which reading says
        self._wait()

    def _wait(self) -> None:
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        if not stdout.readline():
            raise self._stopped(stderr.read())


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()

"""How much memory a child may need, how much there is, and whether the kernel ran out of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Measured: TensorFlow itself takes about 0.5 GB; restoring and writing 1 to 2 times the weights,
# stock converters more; opening a frozen graph up to 3.6 times its size.
_BASE = 600 << 20
_EXPORT_FACTOR = 3
_VERIFY_FACTOR = 4

_CGROUP = Path("/sys/fs/cgroup")


def export_need(checkpoint: int) -> int:
    """Estimated peak of exporting from a checkpoint of so many bytes."""
    return _BASE + _EXPORT_FACTOR * checkpoint


def verify_need(artifact: int) -> int:
    """Estimated peak of opening and running an artifact of so many bytes."""
    return _BASE + _VERIFY_FACTOR * artifact


def available() -> int | None:
    """Bytes that may still be used, by the machine and by the control group; None if unknown."""
    found = []
    with suppress(OSError, ValueError):
        found.append(_table(Path("/proc/meminfo"))["MemAvailable:"] << 10)
    with suppress(OSError, ValueError):
        limit = int((_CGROUP / "memory.max").read_text())
        found.append(limit - int((_CGROUP / "memory.current").read_text()))
    return min(found, default=None)


def oom_kills() -> int:
    """Processes that the kernel has killed for lack of memory so far, as far as it tells."""
    total = 0
    for file in (Path("/proc/vmstat"), _CGROUP / "memory.events"):
        with suppress(OSError):
            total += _table(file).get("oom_kill", 0)
    return total


def _table(file: Path) -> dict[str, int]:
    """`name value ...` lines."""
    words = (line.split() for line in file.read_text().splitlines())
    return {w[0]: int(w[1]) for w in words if len(w) > 1 and w[1].isdigit()}


class Gate:
    """Lets children start while there is a slot and room; one alone may always start."""

    def __init__(self, slots: int, budget: int | None) -> None:
        self._slots = slots
        self._budget = budget
        self._running = 0
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def room(self, need: int) -> Iterator[None]:
        """Waits for a slot and for `need` bytes of the budget, and holds both."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(need))
            self._running += 1
            self._used += need
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._used -= need
                self._changed.notify_all()

    def _fits(self, need: int) -> bool:
        if not self._running:
            return True
        enough = self._budget is None or self._used + need <= self._budget
        return self._running < self._slots and enough

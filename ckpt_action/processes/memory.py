"""How much memory a child may need, how much there is, and whether the kernel ran out of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BASE = 600 << 20
"""What TensorFlow takes before there is a model."""
_VERIFY_FACTOR = 5
"""Of the artifact's size. Most was measured of a frozen graph that TensorFlow imports whole."""

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


def export_need(checkpoint: int, factors: Iterable[float]) -> int:
    """Estimated peak of exporting from a checkpoint of so many bytes to targets that take `factors`
    of it: they are written one after the other."""
    return _BASE + int(max(factors) * checkpoint)


def verify_need(artifact: int) -> int:
    """Estimated peak of opening and running an artifact of so many bytes."""
    return _BASE + _VERIFY_FACTOR * artifact


def available() -> int | None:
    """Bytes that may still be used, by the machine and by the control groups; None if unknown."""
    found = []
    with suppress(OSError, KeyError):
        found.append(_table(_PROC / "meminfo")["MemAvailable:"] << 10)
    for group in _groups():
        with suppress(OSError, ValueError):  # "max": no limit
            limit = int((group / "memory.max").read_text())
            used = int((group / "memory.current").read_text())
            # Files that nobody reads any more count as used, and give way.
            found.append(limit - used + _table(group / "memory.stat").get("inactive_file", 0))
    return min(found, default=None)


def oom_kills() -> int:
    """Processes that the kernel has killed for lack of memory so far, as far as it tells."""
    total = 0
    for file in (_PROC / "vmstat", *(group / "memory.events" for group in _groups())):
        with suppress(OSError):
            total += _table(file).get("oom_kill", 0)
    return total


def _groups() -> Iterator[Path]:
    """The control group (v2) of this process, and those around it."""
    with suppress(OSError):
        for line in (_PROC / "self" / "cgroup").read_text().splitlines():
            if line.startswith("0::/"):
                own = _CGROUP / line.removeprefix("0::/")
                yield from (g for g in (own, *own.parents) if g.is_relative_to(_CGROUP))


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

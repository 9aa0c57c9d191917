"""Whole processes, measured from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRON = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
# Installed packages come compiled, a checkout does not: without this it would be at every start.
ENVIRON.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one process and every process that it started and waited for."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all of them together, user and system."""
    peak: int
    """Bytes that the largest of them held at its peak (resident set size)."""


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run `command` in `folder`; raises RuntimeError with its output where it fails."""
    os.sync()  # nobody pays for what the one before left to be written
    log = folder / "benchmark.log"
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=ENVIRON, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed:\n{log.read_text(errors='replace')}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * scale)


def total(costs: Iterable[Cost]) -> Cost:
    """Of processes that ran one after the other."""
    parts = list(costs)
    return Cost(
        wall=sum(c.wall for c in parts),
        cpu=sum(c.cpu for c in parts),
        peak=max(c.peak for c in parts),
    )


def in_turns(rounds: int, *measures: Callable[[], Cost]) -> tuple[Cost, ...]:
    """The least cost of each in wall time, one after the other in every round: the same neighbours
    for all, and what took longer than the least waited for somebody else."""
    costs = [[measure() for measure in measures] for _ in range(rounds)]
    return tuple(min(ways, key=lambda cost: cost.wall) for ways in zip(*costs, strict=True))

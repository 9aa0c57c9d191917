"""Freezing by streaming against TensorFlow's own freezer: time and peak memory, in one run.

    python -m benchmarks.freeze [MODEL...]

Each measurement is a process of its own: it builds the model (random weights), notes the time and
the memory, freezes and writes the `.pb`, and says what that took on top. Both write the same graph.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ENVIRON
from benchmarks.results import Goal

MODELS = ("MobileNetV2", "VGG16")
ROUNDS = 3
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Run:
    """One way of freezing, on top of what the model took before."""

    seconds: float
    memory: int
    """Bytes."""
    weights: int
    """Bytes of the model's weights."""


@dataclass(frozen=True, kw_only=True)
class Freezing:
    """One model, each way at its best."""

    model: str
    stock: Run
    stream: Run

    @property
    def goals(self) -> tuple[Goal, Goal]:
        return (
            Goal(
                name=f"freezing {self.model} alone (time)",
                found=self.stream.seconds / self.stock.seconds,
                most=1 / 15,
                of="the time of TensorFlow's own freezer",
            ),
            Goal(
                name=f"freezing {self.model} alone (memory)",
                found=self.stream.memory / self.stream.weights,
                most=0.05,
                of="the weights, as extra memory",
            ),
        )


def freezing(model: str) -> Freezing:
    """Measure both ways in turns."""
    runs = [(measured("stock", model), measured("stream", model)) for _ in range(ROUNDS)]
    stock, stream = (min(way, key=lambda run: run.seconds) for way in zip(*runs, strict=True))
    return Freezing(model=model, stock=stock, stream=stream)


def lines(freezings: Iterable[Freezing]) -> Iterator[str]:
    """The table."""
    yield f"{'model':14}{'weights':>10}{'stock':>18}{'streaming':>18}{'time':>9}{'memory':>9}"
    for one in freezings:
        time_goal, memory_goal = one.goals
        yield (
            f"{one.model:14}{one.stream.weights / MIB:7.0f} MB{_cost(one.stock)}{_cost(one.stream)}"
            f"{1 / time_goal.found:8.1f}x{100 * memory_goal.found:8.1f}%"
        )
    yield f"Best of {ROUNDS} by time, stock and streaming in turns. `time` is stock to streaming,"
    yield "`memory` the streaming freezer's extra peak as a share of the weights."


def _cost(run: Run) -> str:
    return f"{run.seconds:8.2f} s{run.memory / MIB:5.0f} MB"


def measured(way: str, model: str) -> Run:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.freeze_once", way, model],
        cwd=Path(__file__).parent.parent,
        env=ENVIRON,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return Run(**json.loads(run.stdout.splitlines()[-1]))


if __name__ == "__main__":
    print(*lines(map(freezing, sys.argv[1:] or MODELS)), sep="\n")

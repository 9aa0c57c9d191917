"""How long one call of an artifact takes, in the runtime that proves it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.records import Timed
from ckpt_action.outcome import Latency

RUNS = 50
_WARM_UP = 5


def measure(artifact: Timed, probes: Sequence[Probe]) -> Latency | None:
    """The slowest signature, each on its smallest probe; None where there is no probe."""
    smallest: dict[str, Probe] = {}
    for probe in sorted(probes, key=lambda p: -sum(a.nbytes for a in p.inputs.values())):
        smallest[probe.signature] = probe
    measured = [_of(artifact, probe) for probe in smallest.values()]
    return max(measured, key=lambda m: m.seconds, default=None)


def _of(artifact: Timed, probe: Probe) -> Latency:
    call = artifact.repeated(probe.signature, probe.inputs)
    for _ in range(_WARM_UP):
        call()
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return Latency(
        seconds=statistics.median(taken),
        runs=RUNS,
        call=f"{probe.signature}, {probe.label}",
        machine=_machine(),
    )


def _machine() -> str:
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

"""What nothing can be cheaper than."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.processes import Cost, in_turns, run
from benchmarks.project import checkpoint, make_project
from benchmarks.results import Way


def floor(project: Path, rounds: int) -> tuple[Way, Way]:
    """Starting TensorFlow at all, and copying VGG16's checkpoint twice, once for each artifact."""
    make_project(project, ["vgg16"])
    prefix = checkpoint(project, "vgg16")
    data = prefix.with_name(f"{prefix.name}.data-00000-of-00001")
    out = project / "out"
    copies = [f"cp {data} {out}/{number}" for number in range(2)]

    def copy() -> Cost:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return run(["sh", "-c", " && ".join(copies)], project)

    start = [sys.executable, "-c", "import tensorflow"]
    started, copied = in_turns(rounds, lambda: run(start, project), copy)
    return (
        Way(name="import tensorflow", cost=started),
        Way(name="cp of VGG16's weights, twice", cost=copied),
    )

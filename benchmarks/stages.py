"""Where an export's time goes: shares of the processor's time of all children, by stage.

    python -m benchmarks.stages SCRATCH

The children measure: each is asked for a function of this module, which runs the engine's own and
notes the time of its process wherever that enters a stage.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import ENVIRON
from benchmarks.project import SMALL, declare, make_project
from ckpt_action.jobs import job as jobs

COLUMNS: dict[str, Sequence[str]] = {
    "20 small models": tuple(SMALL),
    "mobilenet-v2": ("mobilenet-v2",),
    "vgg16": ("vgg16",),
}
_TIMES = "CKPT_ACTION_BENCH_TIMES"
"""Folder into which children write."""


def export(arguments: Mapping[str, Any], work: Path) -> Any:
    """The exporting child's task."""
    from ckpt_action.engine import export_job

    return _timed(export_job, arguments, work, lambda stage: stage)


def verify(arguments: Mapping[str, Any], work: Path) -> Any:
    """The task of a child that verifies one artifact: one stage, whatever it does."""
    from ckpt_action.engine import verify_job

    return _timed(verify_job, arguments, work, lambda _: f"verifying {arguments['format']}")


def _timed(job: Any, arguments: Mapping[str, Any], work: Path, named: Callable[[str], str]) -> Any:
    begun = [(named("starting"), 0.0)]
    job.enter_stage = lambda _, stage: begun.append((named(stage), time.process_time()))
    result = job.run(arguments, work)
    begun.append(("", time.process_time()))
    spent: Counter[str] = Counter()
    for (stage, start), (_, end) in itertools.pairwise(begun):
        spent[stage] += end - start  # type: ignore[assignment]  # seconds are counted, too
    Path(os.environ[_TIMES], f"{os.getpid()}.json").write_text(json.dumps(spent))
    return result


def stage_table(scratch: Path) -> list[str]:
    """Lines of Markdown."""
    columns = {name: _spent(scratch, name, models) for name, models in COLUMNS.items()}
    lines = [f"| stage | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for stage in dict.fromkeys(stage for spent in columns.values() for stage in spent):
        shares = (100 * spent[stage] / spent.total() for spent in columns.values())
        lines.append(f"| {stage} | {' | '.join(f'{share:.0f} %' for share in shares)} |")
    totals = " | ".join(f"{spent.total():.1f}" for spent in columns.values())
    return [*lines, f"| all of it, seconds of a processor | {totals} |"]


def _spent(scratch: Path, name: str, models: Sequence[str]) -> Counter[str]:
    from ckpt_action.export import Options
    from ckpt_action.export import export as whole_export
    from ckpt_action.progress import Progress

    make_project(scratch, models)
    times = scratch / "times" / name
    times.mkdir(parents=True, exist_ok=True)
    for file in times.iterdir():
        file.unlink()
    jobs.EXPORT, jobs.VERIFY = "benchmarks.stages:export", "benchmarks.stages:verify"  # type: ignore[attr-defined]
    environ = ENVIRON | {_TIMES: str(times), "PYTHONPATH": str(Path(__file__).parents[1])}
    file = declare(scratch, name.replace(" ", "-"), models)
    run, _ = whole_export(file, Options(reuse=False), environ, Progress(io.StringIO()))
    if run.exit_code:
        raise RuntimeError(f"{name}: {run.exit_code.name}")
    ended = sorted(times.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    return sum((Counter(json.loads(file.read_text())) for file in ended), Counter())


if __name__ == "__main__":
    print(*stage_table(Path(sys.argv[1]).absolute()), sep="\n")

"""A plan for people: each job, what it reads and what it writes."""

from __future__ import annotations

from collections.abc import Iterator

from ckpt_action.digests import relative
from ckpt_action.plan import Plan
from ckpt_action.report.counting import count
from ckpt_action.report.figures import human_bytes


def plan_lines(plan: Plan) -> Iterator[str]:
    """The jobs in the order of the plan, paths relative to the configuration's folder."""
    folder = plan.config.folder
    for job in plan.jobs:
        checkpoint = job.checkpoint
        step = "" if checkpoint.step is None else f", step {checkpoint.step}"
        yield job.name
        yield f"  from  {relative(checkpoint.path, folder)}"
        yield (
            f"        {checkpoint.kind.value}, written by {checkpoint.writer.value}{step}, "
            f"{human_bytes(checkpoint.bytes)}"
        )
        for note in checkpoint.notes:
            yield f"        {note}"
        for target in job.model.targets:
            written = relative(plan.config.output_dir / job.name / target.name, folder)
            as_format = "" if target.name == target.format else f"  ({target.format})"
            yield f"  to    {written}{as_format}"
    artifacts = sum(len(job.model.targets) for job in plan.jobs)
    yield f"{count(plan.jobs, 'job')}, {count(artifacts, 'artifact')}"

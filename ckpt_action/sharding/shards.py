"""A plan in parts: what each of several machines exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ckpt_action.plan import Job, Plan
from ckpt_action.shard import Shard


def split(jobs: Sequence[Job], count: int) -> tuple[tuple[Job, ...], ...]:
    """`jobs` in `count` parts of about equal checkpoint bytes, each in the order of the plan.

    The same jobs give the same parts everywhere: the largest go first, each into the part that has
    the fewest bytes, then the fewest jobs, then the lowest number. Parts may be empty at the end.
    """
    load = [(0, 0, number) for number in range(count)]
    part_of: dict[str, int] = {}
    for job in sorted(jobs, key=lambda job: (-job.checkpoint.bytes, job.name)):
        size, held, number = min(load)
        load[number] = (size + job.checkpoint.bytes, held + 1, number)
        part_of[job.name] = number
    return tuple(
        tuple(job for job in jobs if part_of[job.name] == number) for number in range(count)
    )


def part(plan: Plan, shard: Shard) -> Plan:
    """What `shard` exports. Problems that belong to no job are the first shard's to tell."""
    jobs = split(plan.jobs, shard.count)[shard.number - 1]
    return replace(plan, jobs=jobs, problems=plan.problems if shard.number == 1 else ())


def matrix(plan: Plan, count: int) -> dict[str, list[dict[str, object]]]:
    """The job matrix of a workflow: one entry for each part that has jobs."""
    return {
        "include": [
            {
                "shard": str(Shard(number=number, count=count)),
                "models": " ".join(job.name for job in jobs),
                "bytes": sum(job.checkpoint.bytes for job in jobs),
            }
            for number, jobs in enumerate(split(plan.jobs, count), 1)
            if jobs
        ]
    }

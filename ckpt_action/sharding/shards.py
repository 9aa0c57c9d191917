"""A plan in parts: what each of several machines exports, and the record that it leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.codec import from_data, to_data
from ckpt_action.errors import ExitCode, Where, fail
from ckpt_action.outcome import Run
from ckpt_action.plan import Job, Plan

RECORD = "shard.json"
"""Lies in a shard's output folder, also of one in which everything failed."""
MOST = 256
"""Jobs of one matrix, as GitHub limits them."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One part of several; `number` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, kw_only=True)
class ShardRecord:
    """What one machine did, failures included."""

    shard: Shard
    run: Run


def read_shard(text: str) -> Shard:
    """`2/8`; raises ValueError for anything that names no part."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f"{text!r} is no shard: write `2/8` for the second of eight.")
    return Shard(number=int(found[1]), count=int(found[2]))


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


def write_record(record: ShardRecord, folder: Path) -> None:
    text = json.dumps(to_data(record), indent=1) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8", newline="\n")


def read_record(folder: Path) -> ShardRecord:
    """Raises CkptActionError (OUTPUT) where `folder` is not what `export --shard` leaves."""
    file = folder / RECORD
    try:
        return from_data(ShardRecord, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise fail(
            ExitCode.OUTPUT,
            f"{RECORD} cannot be read: {error}.",
            hint="Give the folders that `ckpt-action export --shard` of this version wrote into.",
            where=Where(file=str(file)),
        ) from None

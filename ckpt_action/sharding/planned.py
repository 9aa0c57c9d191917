"""A plan as data: what `plan --format json` prints, and what `merge` reads on another machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ckpt_action.codec import from_data
from ckpt_action.digests import relative
from ckpt_action.errors import ExitCode, Problem, Where, fail
from ckpt_action.jobs.fingerprint import config_digest
from ckpt_action.jobs.inputs import checkpoint_record
from ckpt_action.outcome import CheckpointRecord
from ckpt_action.plan import Job, Plan
from ckpt_action.sharding.shards import split


@dataclass(frozen=True, kw_only=True)
class PlannedTarget:
    name: str
    format: str
    folder: str
    """Relative to the configuration's folder, as every path of a plan."""


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    name: str
    model: str
    entry_point: str | None
    config_digest: str
    checkpoint: CheckpointRecord
    files: tuple[str, ...]
    """Of the checkpoint."""
    notes: tuple[str, ...]
    """Why this checkpoint was taken of those that there are."""
    targets: tuple[PlannedTarget, ...]
    shard: int
    """Counted from 1."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    config: str
    output_dir: str
    shards: int
    jobs: tuple[PlannedJob, ...]
    without_job: tuple[str, ...]
    """Declared models of which a checkpoint, or how to build them, was not found."""
    problems: tuple[Problem, ...]
    version: int = 1


def describe(plan: Plan, problems: tuple[Problem, ...], shards: int) -> Planned:
    """`plan` in `shards` parts; hashes the checkpoints. `problems` include the configuration's."""
    parts = enumerate(split(plan.jobs, shards), 1)
    shard_of = {job.name: number for number, jobs in parts for job in jobs}
    return Planned(
        config=str(plan.config.file),
        output_dir=relative(plan.config.output_dir, plan.config.folder),
        shards=shards,
        jobs=tuple(_job(job, plan, shard_of[job.name]) for job in plan.jobs),
        without_job=plan.without_job,
        problems=problems,
    )


def _job(job: Job, plan: Plan, shard: int) -> PlannedJob:
    folder = plan.config.folder
    return PlannedJob(
        name=job.name,
        model=job.model.name,
        entry_point=str(job.model.entry_point) if job.model.entry_point else None,
        config_digest=config_digest(job),
        checkpoint=checkpoint_record(job),
        files=tuple(relative(file, folder) for file in job.checkpoint.files),
        notes=job.checkpoint.notes,
        targets=tuple(
            PlannedTarget(
                name=target.name,
                format=target.format,
                folder=relative(plan.config.output_dir / job.name / target.name, folder),
            )
            for target in job.model.targets
        ),
        shard=shard,
    )


def read_planned(file: Path) -> Planned:
    """Raises CkptActionError (OUTPUT) where `file` holds no plan."""
    try:
        return from_data(Planned, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise fail(
            ExitCode.OUTPUT,
            f"{file} holds no plan: {error}.",
            hint="Write it with `ckpt-action plan --format json --shards N` of this version.",
            where=Where(file=str(file)),
        ) from None

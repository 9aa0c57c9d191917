"""Show what would be exported, from which files to which, without TensorFlow."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ckpt_action.digests import relative
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, gravest
from ckpt_action.jobs.fingerprint import config_digest
from ckpt_action.jobs.inputs import checkpoint_record
from ckpt_action.plan import Job, Plan, make_plan
from ckpt_action.sharding.shards import MOST, matrix, split


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("model-export.toml"),
        metavar="FILE",
        help="default: model-export.toml",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="only this model; may be given several times",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github-matrix"),
        default="text",
        help="text (default), JSON as `merge` reads it, or the job matrix of a GitHub workflow",
    )
    parser.add_argument(
        "--shards",
        type=_shards,
        metavar="N",
        help="in N parts of about equal checkpoint bytes, at most 256; default: one for each job",
    )


def run(args: argparse.Namespace) -> ExitCode:
    from ckpt_action.config.load import load_config

    loaded = load_config(args.file)
    if loaded.config is None:
        raise CkptActionError(*loaded.problems)
    plan = make_plan(loaded.config, models=tuple(args.model))
    problems = (*loaded.problems, *plan.problems)
    shards = args.shards or min(len(plan.jobs), MOST) or 1
    if args.format == "json":
        print(json.dumps(plan_data(plan, problems, shards), indent=2))
    elif args.format == "github-matrix":
        from ckpt_action.report.problems import print_problems

        print_problems(problems, stream=sys.stderr)
        print(json.dumps(matrix(plan, shards)))
    else:
        from ckpt_action.report.problems import print_problems
        from ckpt_action.report.workflow_commands import sanitize

        print_problems(problems, stream=sys.stderr)
        sys.stdout.write(sanitize("".join(f"{line}\n" for line in plan_lines(plan))))
    return gravest(p.code for p in problems if p.severity is Severity.ERROR)


def plan_data(plan: Plan, problems: tuple[Problem, ...], shards: int) -> dict[str, object]:
    """The plan as JSON data; paths are relative to the configuration's folder, in POSIX form."""
    from ckpt_action.report.problems import problems_data

    folder = plan.config.folder
    parts = enumerate(split(plan.jobs, shards), 1)
    shard_of = {job.name: number for number, jobs in parts for job in jobs}
    return {
        "version": 1,
        "config": str(plan.config.file),
        "output_dir": relative(plan.config.output_dir, folder),
        "shards": shards,
        "jobs": [{**_job_data(job, plan), "shard": shard_of[job.name]} for job in plan.jobs],
        "problems": problems_data(problems),
    }


def _job_data(job: Job, plan: Plan) -> dict[str, object]:
    checkpoint, folder = job.checkpoint, plan.config.folder
    return {
        "name": job.name,
        "model": job.model.name,
        "entry_point": str(job.model.entry_point) if job.model.entry_point else None,
        "config_digest": config_digest(job),
        "checkpoint": {
            "path": relative(checkpoint.path, folder),
            "kind": checkpoint.kind.value,
            "writer": checkpoint.writer.value,
            "step": checkpoint.step,
            "files": [relative(file, folder) for file in checkpoint.files],
            "bytes": checkpoint.bytes,
            "sha256": checkpoint_record(job).sha256,
            "notes": list(checkpoint.notes),
        },
        "targets": [
            {
                "name": target.name,
                "format": target.format,
                "folder": relative(plan.config.output_dir / job.name / target.name, folder),
            }
            for target in job.model.targets
        ],
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan for people: each job, what it reads and what it writes."""
    from ckpt_action.report.figures import count, human_bytes

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


def _shards(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST}")
    return number

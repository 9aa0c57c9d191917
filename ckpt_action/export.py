"""The whole of an export: load, plan, export and verify every job, place, describe, report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.checkout import read_checkout
from ckpt_action.config.load import load_config
from ckpt_action.config.located import located, of_signatures, of_target
from ckpt_action.earlier import Earlier, read_earlier
from ckpt_action.errors import CkptActionError, Problem
from ckpt_action.jobs.fingerprint import environment_digest
from ckpt_action.jobs.installed import lacking
from ckpt_action.jobs.job import JobRun
from ckpt_action.jobs.reuse import take
from ckpt_action.outcome import JobOutcome, Run
from ckpt_action.output.placing import Made, place, refuse_foreign
from ckpt_action.output.staging import Staging, staging
from ckpt_action.plan import Job, Plan, make_plan
from ckpt_action.processes.supervisor import Supervisor
from ckpt_action.progress import Progress
from ckpt_action.shard import Shard
from ckpt_action.sharding.shards import part


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line decides; the rest is in the configuration."""

    models: tuple[str, ...] = ()
    """Only these; empty for all."""
    jobs: int = 1
    """Child processes at once at most."""
    output_dir: Path | None = None
    """Instead of the configuration's."""
    shard: Shard | None = None
    """Only this part of the plan."""
    reuse: bool = True
    """Take what is unchanged from an earlier export."""
    previous: Path | None = None
    """That export, its folder or its manifest; the one in the output folder if None."""


def export(
    file: Path, options: Options, environ: Mapping[str, str], progress: Progress
) -> tuple[Run, Path]:
    """Export what `file` declares; returns what came out and the output folder.

    One job's failure never hides the next: it is in that job's outcome. Raises CkptActionError
    for what stops everything: a configuration with errors, an output folder that is not ours.
    """
    loaded = load_config(file)
    if loaded.config is None:
        raise CkptActionError(*loaded.problems)
    plan = make_plan(loaded.config, models=options.models)
    if options.shard:
        plan = part(plan, options.shard)
    if missing := lacking(plan):
        others = (p for p in plan.problems if p.code is not missing[0].code)
        raise CkptActionError(*loaded.problems, *others, *located(missing, file))
    output_dir = (options.output_dir or loaded.config.output_dir).absolute()
    checkout = read_checkout(loaded.config.folder, output_dir)
    run = Run(
        tool=__version__,
        config=str(file),
        jobs=(),
        problems=loaded.problems + plan.problems,
        commit=checkout.commit,
        dirty=checkout.dirty,
        uncommitted=checkout.uncommitted,
    )
    if plan.jobs or (not options.shard and plan.without_job):
        with staging(output_dir) as stage, ThreadPoolExecutor(1) as aside:
            refuse_foreign(output_dir, plan)
            environment = aside.submit(environment_digest, environ)
            earlier = read_earlier(options.previous, output_dir)
            taken = {}
            if options.reuse and earlier:
                taken = _taken(plan, earlier, environment.result(), stage, progress)
            rest = replace(plan, jobs=tuple(job for job in plan.jobs if job.name not in taken))
            new, notes = _run_jobs(rest, stage, options.jobs, environ, progress)
            by_name = taken | {outcome.name: outcome for outcome in new}
            jobs = tuple(_told(by_name[job.name], job, file) for job in plan.jobs)
            run = replace(run, jobs=jobs, problems=run.problems + notes)
            made = Made(
                environment=environment.result(),
                earlier=None if options.shard else earlier,
                staying=set(taken) if earlier and earlier.here else set(),
                shard=options.shard,
            )
            run = place(plan, run, stage, refuse_foreign(output_dir, plan), made)
    return run, output_dir


def _told(outcome: JobOutcome, job: Job, file: Path) -> JobOutcome:
    """With what only the configuration knows: places in it, and why this checkpoint was taken."""
    artifacts = tuple(
        replace(a, problems=of_target(a.problems, a.name, job.model, file))
        for a in outcome.artifacts
    )
    problems = of_signatures(outcome.problems, job.model, file)
    return replace(outcome, problems=problems, artifacts=artifacts, chosen=job.checkpoint.notes)


def _taken(
    plan: Plan, earlier: Earlier, environment: str, stage: Staging, progress: Progress
) -> dict[str, JobOutcome]:
    """What is unchanged since `earlier`, by its name."""
    outcomes = (
        take(job, earlier, environment, stage.items / job.name, progress) for job in plan.jobs
    )
    return {outcome.name: outcome for outcome in outcomes if outcome}


def _run_jobs(
    plan: Plan, stage: Staging, jobs: int, environ: Mapping[str, str], progress: Progress
) -> tuple[tuple[JobOutcome, ...], tuple[Problem, ...]]:
    """What came of each, and what is to be said of the run."""
    if not plan.jobs:
        return (), ()
    servers = stage.work / "servers"
    servers.mkdir()
    with _stopping_pool(jobs) as pool:
        supervisor = Supervisor(jobs=jobs, folder=servers, environ=environ)
        with contextlib.closing(supervisor):
            runs = [
                JobRun(
                    job,
                    supervisor,
                    work=stage.work / "jobs" / job.name,
                    folder=stage.items / job.name,
                    progress=progress,
                )
                for job in plan.jobs
            ]
            return tuple(pool.map(JobRun.run, runs)), supervisor.notes


@contextlib.contextmanager
def _stopping_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that starts nothing more once it is left; what runs is waited for."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)

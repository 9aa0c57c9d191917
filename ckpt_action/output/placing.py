"""From what was proven to the output folder: its manifest, its report, and what stays of before."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.config.records import Config
from ckpt_action.earlier import Earlier
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where
from ckpt_action.jobs.fingerprint import config_digest
from ckpt_action.manifest import (
    RECORD,
    REPORT,
    SUMS,
    Exported,
    Manifest,
    exported,
    merged,
    portable,
    read_manifest,
    write_manifest,
)
from ckpt_action.outcome import JobOutcome, Run
from ckpt_action.output import previous_export
from ckpt_action.output.compare import compare
from ckpt_action.output.staging import Staging
from ckpt_action.plan import Job, Plan
from ckpt_action.report.page import render
from ckpt_action.shard import Shard, ShardRecord, write_record


def refuse_foreign(output_dir: Path, plan: Plan) -> Manifest | None:
    """What an export would replace must be from an export: nobody's own files are moved away.

    Returns the manifest that lies there. To be called while the folder is locked, for another
    export may have changed it before.
    """
    manifest = read_manifest(output_dir)
    known = {job.name for job in manifest.jobs} if manifest else set()
    places = [output_dir / job.name for job in plan.jobs if job.name not in known]
    if manifest is None:
        places += [output_dir / SUMS, output_dir / REPORT]
    problems = [
        Problem(
            code=ExitCode.OUTPUT,
            message=f"{place} is in the way: no manifest says that an export made it.",
            hint="Move it away, or choose another output folder.",
            where=Where(file=str(place)),
        )
        for place in places
        if place.exists()
    ]
    if problems:
        raise CkptActionError(*problems)
    return manifest


@dataclass(frozen=True, kw_only=True)
class Made:
    """How the artifacts came about."""

    environment: str
    """Digest of what they were made with."""
    earlier: Earlier | None
    """What the report compares with."""
    staying: AbstractSet[str]
    """Jobs found unchanged in the output folder, and compared with their digests there."""
    shard: Shard | None


def place(plan: Plan, run: Run, stage: Staging, old: Manifest | None, made: Made) -> Run:
    """Everything that was proven goes into the output folder, with its manifest and the report.

    A job of which at least one target passed replaces the whole folder of that job, so that no
    folder mixes two exports; the manifest names the targets that failed. A job of which nothing
    passed leaves its earlier folder and entry, and the manifest says so, as it does where there is
    nothing earlier: whatever failed, manifest and report tell of this run. An equal manifest says
    nothing about the files that lie there: what does not stay is replaced all the same.

    Returns `run` with what changed since the earlier export.
    """
    new = [
        _exported(job, outcome, plan.config, run, made.environment)
        for job, outcome in zip(plan.jobs, run.jobs, strict=True)
        if job.name in made.staying or (stage.items / job.name).is_dir()
    ]
    placed = {entry.name for entry in new}
    removed = _gone(old, plan, placed)
    failed = {job.name for job in plan.jobs if job.name not in placed}
    failed |= {*plan.without_job, *_not_tried_again(old, plan)}
    manifest = merged(old, new, failed=failed, removed=removed)
    became = previous_export.tell(old, manifest, placed=placed, removed=removed)
    run = replace(run, problems=(*run.problems, *became))
    if made.earlier:
        differences = compare(made.earlier.manifest, manifest)
        run = replace(run, previous=made.earlier.name, changes=differences)
    if made.shard:
        write_record(
            ShardRecord(shard=made.shard, run=portable(run, plan.config.folder)), stage.items
        )
    if manifest.jobs or not made.shard:
        write_manifest(manifest, stage.items)
        page = render(portable(_with_earlier(run, manifest), plan.config.folder))
        (stage.items / REPORT).write_text(page, encoding="utf-8", newline="\n")
    stage.commit(removed if made.shard else {*removed, RECORD})
    return run


def _with_earlier(run: Run, manifest: Manifest) -> Run:
    """`run` and what lies in the folder from earlier ones; a failure among these is not hidden."""
    now = {job.name for job in run.jobs}
    earlier = [
        previous_export.outdated(job) if previous_export.failed(job, manifest) else job
        for job in manifest.jobs
        if job.name not in now
    ]
    problems = [
        Problem(code=ExitCode.OUTPUT, message=f"The last export of {name} failed.")
        for name in sorted({*manifest.failed} - now)
    ]
    jobs = sorted((*run.jobs, *earlier), key=lambda job: job.name)
    return replace(run, jobs=tuple(jobs), problems=(*run.problems, *problems))


def _gone(old: Manifest | None, plan: Plan, placed: set[str]) -> set[str]:
    """Earlier jobs that this run has replaced under another name, or that nobody declares now.

    Only where nothing failed: an earlier export is never given up for one that did not succeed.
    """
    planned = {job.name for job in plan.jobs}
    if old is None or not planned <= placed or any(problem.is_error for problem in plan.problems):
        return set()
    declared = {model.name for model in plan.config.models}
    exported_now = {job.model.name for job in plan.jobs}
    return {
        job.name
        for job in old.jobs
        if job.name not in planned and (job.model in exported_now or job.model not in declared)
    }


def _not_tried_again(old: Manifest | None, plan: Plan) -> Iterator[str]:
    """What failed before, is still declared, and has no part in this run."""
    tried = {job.model.name for job in plan.jobs} | {*plan.without_job}
    waiting = {model.name for model in plan.config.models} - tried
    for name in old.failed if old else ():
        if name.partition("@")[0] in waiting:
            yield name


def _exported(
    job: Job, outcome: JobOutcome, config: Config, run: Run, environment: str
) -> Exported:
    verify = job.model.verify
    return exported(
        outcome,
        config.folder,
        tool=__version__,
        commit=run.commit,
        dirty=run.dirty,
        config=config.file.name,
        rtol=verify.rtol,
        atol=verify.atol,
        config_digest=config_digest(job),
        environment_digest=environment,
    )

"""What several machines exported, joined into one folder and held against the plan.

The shards' folders are data from elsewhere. What lies in the merged folder has been copied byte by
byte under its digest; a job that is missing, that came twice or that nobody planned is an error,
and the merged manifest says that it failed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.digests import copy_checked
from ckpt_action.earlier import read_earlier
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail
from ckpt_action.manifest import REPORT, Exported, merged, write_manifest
from ckpt_action.outcome import JobOutcome, Run
from ckpt_action.output.compare import compare
from ckpt_action.output.staging import Staging, staging
from ckpt_action.report.page import render
from ckpt_action.shard import Shard
from ckpt_action.sharding.checks import (
    Part,
    disagreements,
    misplaced,
    part_problem,
    strangers,
    unlike_plan,
)
from ckpt_action.sharding.planned import Planned, PlannedJob, read_planned


def merge(
    plan_file: Path, folders: Sequence[Path], output_dir: Path, previous: Path | None = None
) -> Run:
    """Join the shards in `folders` into the new or empty `output_dir`; returns the whole run.

    `previous` is the folder or the manifest of an earlier export that the report compares with.

    What is wrong with one job is in its outcome or among the run's problems; the others are
    placed. Raises CkptActionError (OUTPUT) where the plan cannot be read or the folder not written.
    """
    planned = read_planned(plan_file)
    parts, unreadable = _read(folders)
    output_dir = output_dir.absolute()
    if output_dir.exists() and any(output_dir.iterdir()):
        raise fail(
            ExitCode.OUTPUT,
            f"{output_dir} is not empty.",
            hint="Give --output-dir a new folder.",
            where=Where(file=str(output_dir)),
        )
    with staging(output_dir) as stage:
        run, entries = _join(planned, parts, stage)
        run = replace(run, problems=run.problems + unreadable)
        failed = {job.name for job in planned.jobs} - {entry.name for entry in entries}
        failed |= set(planned.without_job)
        manifest = merged(None, entries, failed=failed, removed=())
        if previous and (earlier := read_earlier(previous, output_dir)):
            differences = compare(earlier.manifest, manifest)
            run = replace(run, previous=earlier.name, changes=differences)
        write_manifest(manifest, stage.items)
        (stage.items / REPORT).write_text(render(run), encoding="utf-8", newline="\n")
        stage.commit(())
    return run


def _read(folders: Sequence[Path]) -> tuple[list[Part], tuple[Problem, ...]]:
    parts: list[Part] = []
    problems: list[Problem] = []
    for folder in folders:
        try:
            parts.append(Part.read(folder.absolute()))
        except CkptActionError as error:
            problems += error.problems
    return parts, tuple(problems)


def _join(
    planned: Planned, parts: Sequence[Part], stage: Staging
) -> tuple[Run, tuple[Exported, ...]]:
    differing = [*disagreements(parts)]
    problems = [*planned.problems, *strangers(planned, parts), *differing]
    problems += [problem for part in parts for problem in part.record.run.problems]
    outcomes: list[JobOutcome] = []
    entries: list[Exported] = []
    for job in planned.jobs:
        mine = [part for part in parts if part.outcome(job.name) or part.entry(job.name)]
        if len(mine) != 1 or mine[0].record.shard != Shard(number=job.shard, count=planned.shards):
            problems.append(misplaced(job, planned, mine))
            continue
        outcome, entry = _taken(job, mine[0], stage, place=not differing)
        outcomes += [outcome] if outcome else []
        entries += [entry] if entry else []
    runs = [part.record.run for part in parts]
    run = Run(
        tool=__version__,
        config=runs[0].config if runs else planned.config,
        jobs=tuple(sorted(outcomes, key=lambda job: job.name)),
        problems=tuple(dict.fromkeys(problems)),
        commit=runs[0].commit if runs else None,
        dirty=any(run.dirty for run in runs),
    )
    return run, tuple(entries)


def _taken(
    job: PlannedJob, part: Part, stage: Staging, *, place: bool
) -> tuple[JobOutcome | None, Exported | None]:
    """The outcome of one job, and its entry where its artifacts were placed."""
    outcome, entry = part.outcome(job.name), part.entry(job.name)
    if outcome is None or entry is None:
        said = outcome or entry
        if said is not None and said.exit_code is ExitCode.OK:
            text = f"The shard's folder and its {'manifest' if outcome else 'record'} disagree on "
            said = _failed(said, [part_problem(f"{text}{job.name}.", part.folder, ExitCode.VERIFY)])
        return said, None
    wrong = [*unlike_plan(job, outcome, part), *unlike_plan(job, entry, part)]
    if place and not wrong:
        wrong = [*_copied(entry, part, stage)]
    if place and not wrong:
        return outcome, entry
    shutil.rmtree(stage.items / job.name, ignore_errors=True)
    return _failed(outcome, wrong), None


def _failed(outcome: JobOutcome, problems: Iterable[Problem]) -> JobOutcome:
    return replace(outcome, problems=(*outcome.problems, *problems))


def _copied(entry: Exported, part: Part, stage: Staging) -> Iterator[Problem]:
    """Copy the files of every artifact; problems are those that are not as they were exported."""
    for artifact in entry.artifacts:
        for record in artifact.files:
            path = f"{artifact.folder}/{record.path}"
            try:
                right = copy_checked(part.folder / path, stage.items / path, record)
            except OSError as error:
                yield part_problem(f"{path}: {error.strerror}.", part.folder, ExitCode.VERIFY)
                continue
            if not right:
                text = f"{path} is not the file that was exported: its sha256 differs."
                yield part_problem(text, part.folder, ExitCode.VERIFY)

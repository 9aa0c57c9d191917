"""`manifest.json`: what was made, from what, proven how. `schema/manifest.schema.json` is its form.

Equal inputs give equal bytes, so it holds no times, no memory sizes and no path of one machine;
those are in the report. It describes exactly the files that lie in the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ckpt_action.codec import from_data, to_data
from ckpt_action.digests import file_record
from ckpt_action.errors import ExitCode, Problem, Where, fail
from ckpt_action.outcome import FileRecord, JobOutcome, Run

NAME = "manifest.json"
SUMS = "SHA256SUMS"
REPORT = "report.html"
"""Tells of the last run, failed or not; lies beside the manifest and is not listed in it."""
RECORD = "shard.json"
"""Lies in a shard's output folder, also of one in which everything failed."""
HIDDEN = ".staging"
"""Holds what is being made, until it is moved to its place."""
VERSION = 1
_CHANGING = ("chosen", "taken_from", "seconds", "peak_rss")


@dataclass(frozen=True, kw_only=True)
class Exported(JobOutcome):
    """One job whose artifacts lie in the folder, with what it takes to verify them again."""

    tool: str
    """Version of ckpt-action that made it."""
    commit: str | None
    """Commit of the repository it was made from."""
    config: str
    """Name of the configuration file."""
    dirty: bool = False
    """The repository held changes that `commit` has not."""
    failed_targets: tuple[str, ...] = ()
    """Names of targets that were asked for too and failed; nothing of them is here."""
    rtol: float | None = None
    atol: float | None = None
    config_digest: str = ""
    """Of the model's table with its defaults."""
    environment_digest: str = ""
    """Of the Python, the installed packages and the version of ckpt-action that exported it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The whole folder."""

    version: int = VERSION
    jobs: tuple[Exported, ...] = ()
    """Sorted by name."""
    kept: tuple[str, ...] = ()
    """Jobs whose last export failed: what lies here is from the export before, as it says."""
    failed: tuple[str, ...] = ()
    """Jobs, or models without any job, whose last export failed and of which nothing is here."""


def exported(job: JobOutcome, folder: Path, **more: Any) -> Exported:
    """`job` without what failed and what differs between machines; `folder` holds the config."""
    whole = {f.name: getattr(job, f.name) for f in fields(JobOutcome)}
    passed = tuple(artifact for artifact in job.artifacts if artifact.passed)
    return replace(
        Exported(**whole, **more),
        artifacts=tuple(
            replace(a, problems=_portable_problems(a.problems, folder), latency=None)
            for a in passed
        ),
        failed_targets=tuple(a.name for a in job.artifacts if not a.passed),
        problems=_portable_problems(job.problems, folder),
        chosen=(),
        seconds=0.0,
        peak_rss=0,
        taken_from="",
    )


def outcome_of(entry: Exported) -> JobOutcome:
    """What the run that made `entry` said of it."""
    return JobOutcome(**{f.name: getattr(entry, f.name) for f in fields(JobOutcome)})


def _portable_problems(problems: Iterable[Problem], folder: Path) -> tuple[Problem, ...]:
    """Warnings and notes, without paths above the configuration's folder and without logs."""
    return tuple(
        replace(_portable_problem(problem, folder), details=())
        for problem in problems
        if not problem.is_error
    )


def portable(run: Run, folder: Path) -> Run:
    """`run` for a page that others read: what it says of files below `folder`, the configuration's,
    does not tell where that lies."""

    def told(problems: Iterable[Problem]) -> tuple[Problem, ...]:
        return tuple(_portable_problem(problem, folder) for problem in problems)

    jobs = tuple(
        replace(
            job,
            problems=told(job.problems),
            artifacts=tuple(replace(a, problems=told(a.problems)) for a in job.artifacts),
        )
        for job in run.jobs
    )
    config = _portable(run.config, folder)
    return replace(run, config=config, jobs=jobs, problems=told(run.problems))


def _portable_problem(problem: Problem, folder: Path) -> Problem:
    return replace(
        problem,
        message=_portable(problem.message, folder),
        hint=_portable(problem.hint, folder),
        where=_portable_place(problem.where, folder),
        details=tuple(_portable(line, folder) for line in problem.details),
    )


def _portable_place(where: Where | None, folder: Path) -> Where | None:
    return where and replace(where, file=_portable(where.file, folder))


def _portable(text: str, folder: Path) -> str:
    return text.replace(f"{folder}/", "").replace(f"{folder}\\", "")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`, or None where there is none.

    Raises CkptActionError (OUTPUT) where the file is not what this version writes.
    """
    return read_manifest_file(folder / NAME)


def read_manifest_file(file: Path) -> Manifest | None:
    """As `read_manifest`, of a file that may have another name."""
    try:
        return from_data(Manifest, json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise fail(
            ExitCode.OUTPUT,
            f"{file.name} cannot be read: {error}.",
            hint="It was changed, or written by another version of ckpt-action. Export again into "
            "an empty folder.",
            where=Where(file=str(file)),
        ) from None


def merged(
    old: Manifest | None, new: Iterable[Exported], *, failed: Iterable[str], removed: Iterable[str]
) -> Manifest:
    """`old` with the jobs of `new` in the place of theirs, and without `removed`.

    `failed` jobs keep the entry, and the files, of an earlier export that succeeded. Among them are
    those that failed before and were not tried again.
    """
    failed = set(failed)
    jobs = {job.name: job for job in (old.jobs if old else ()) if job.name not in set(removed)}
    fresh = {job.name: job for job in new}
    kept = {*(old.kept if old else ()), *failed} & jobs.keys() - fresh.keys()
    merged_jobs = jobs | fresh
    return Manifest(
        jobs=tuple(merged_jobs[n] for n in sorted(merged_jobs)),
        kept=tuple(sorted(kept)),
        failed=tuple(sorted(failed - merged_jobs.keys())),
    )


def manifest_text(manifest: Manifest) -> str:
    """The file's content; equal manifests give equal text."""
    data = to_data(manifest)
    for job in data["jobs"]:
        for name in _CHANGING:
            del job[name]
        for artifact in job["artifacts"]:
            del artifact["latency"]
    return json.dumps(data, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `manifest.json`, and `SHA256SUMS` over it and every artifact's files."""
    file = folder / NAME
    file.write_text(manifest_text(manifest), encoding="utf-8", newline="\n")
    text = sums(listed_files(manifest, folder))
    (folder / SUMS).write_text(text, encoding="utf-8", newline="\n")


def sums(records: Iterable[FileRecord]) -> str:
    """The content of `SHA256SUMS`, in shasum's format."""
    return "".join(f"{record.sha256}  {record.path}\n" for record in records)


def listed_files(manifest: Manifest, folder: Path) -> list[FileRecord]:
    """Every file of the folder that has a digest, sorted by its path relative to the folder.

    `folder` holds `manifest.json` itself; the others are taken from its records.
    """
    records = [
        replace(record, path=f"{artifact.folder}/{record.path}")
        for job in manifest.jobs
        for artifact in job.artifacts
        for record in artifact.files
    ]
    return sorted([*records, file_record(folder / NAME, folder)], key=lambda r: r.path)

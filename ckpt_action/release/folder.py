"""An exported folder before it is released: whole, unchanged, and every model of it proven."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail
from ckpt_action.manifest import NAME, Manifest, read_manifest
from ckpt_action.output.file_check import file_problems, lacking
from ckpt_action.output.staging import recover
from ckpt_action.safe_paths import ways_out
from ckpt_action.status import Status, job_status, not_shown


def read_folder(folder: Path, allow_unproven: Collection[str] = ()) -> Manifest:
    """The manifest of `folder`, every file of which has been compared with its digest.

    Raises CkptActionError: OUTPUT where there is no manifest, VERIFY for files that are missing,
    changed or unknown, RELEASE where a model failed, or is not proven and not among those that are
    allowed to be, or where nothing was exported.
    """
    recover(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise fail(
            ExitCode.OUTPUT,
            f"There is no {NAME} in {folder}.",
            hint="Give the folder that `ckpt-action export` wrote into.",
        )
    # What leads out of the folder is not even looked at.
    if problems := [_problem(way, folder) for way in ways_out(manifest, folder)]:
        raise CkptActionError(*problems)
    failures = [*_failures(manifest, folder), *_unproven(manifest, folder, allow_unproven)]
    if problems := [*failures, *file_problems(manifest, folder)]:
        raise CkptActionError(*problems)
    return manifest


def _unproven(manifest: Manifest, folder: Path, allowed: Collection[str]) -> Iterator[Problem]:
    for job in manifest.jobs:
        status = job_status(job)
        if status is Status.FAILED:
            yield _problem(f"{job.name} is not right: a comparison of its values failed.", folder)
        elif status is Status.UNPROVEN and job.name not in allowed:
            yield Problem(
                code=ExitCode.RELEASE,
                message=f"{job.name} is not proven: {'; '.join(not_shown(job))}.",
                hint=f"To release it all the same, name it: --allow-unproven {job.name}",
                where=Where(file=str(folder / NAME)),
            )
    for name in sorted(set(allowed) - {job.name for job in manifest.jobs}):
        yield _problem(f"There is no model {name}, which may be unproven.", folder)


def _failures(manifest: Manifest, folder: Path) -> Iterator[Problem]:
    for text in lacking(manifest):
        yield _problem(text, folder)
    if not any(artifact.files for job in manifest.jobs for artifact in job.artifacts):
        yield _problem("Nothing was exported into this folder.", folder)


def _problem(message: str, folder: Path) -> Problem:
    return Problem(
        code=ExitCode.RELEASE,
        message=message,
        hint="Export again; only a complete folder is released.",
        where=Where(file=str(folder / NAME)),
    )

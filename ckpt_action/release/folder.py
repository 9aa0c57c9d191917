"""An exported folder before it is released: whole, unchanged, and without a failed model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail
from ckpt_action.file_check import file_problems, lacking
from ckpt_action.manifest import NAME, Manifest, read_manifest
from ckpt_action.output.staging import recover
from ckpt_action.output.ways_out import ways_out


def read_folder(folder: Path) -> Manifest:
    """The manifest of `folder`, every file of which has been compared with its digest.

    Raises CkptActionError: OUTPUT where there is no manifest, VERIFY for files that are missing,
    changed or unknown, RELEASE where a model failed or nothing was exported.
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
    if problems := [*_failures(manifest, folder), *file_problems(manifest, folder)]:
        raise CkptActionError(*problems)
    return manifest


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

"""The files of an exported folder against its manifest, and what the manifest admits to lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ckpt_action.digests import file_digest, relative
from ckpt_action.errors import ExitCode, Problem, Where, warning
from ckpt_action.manifest import HIDDEN, NAME, RECORD, REPORT, SUMS, Manifest, listed_files, sums

_REPORTS = {REPORT, RECORD}
"""May lie beside the manifest without being listed in it: they tell of a run, not of the files."""


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """What is wrong with the files of a folder."""

    artifacts: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """By the artifact's folder, of those that are not what was exported."""
    others: tuple[Problem, ...] = ()


def check_files(manifest: Manifest, folder: Path) -> FileCheck:
    """Compare every file with its digest, and say to which artifact a wrong one belongs."""
    folders = [artifact.folder for job in manifest.jobs for artifact in job.artifacts]
    of_artifacts: dict[str, tuple[Problem, ...]] = {}
    others: list[Problem] = []
    for path, problem in _wrong(manifest, folder):
        owner = next((f for f in folders if path.startswith(f"{f}/")), None)
        if owner is None:
            others.append(problem)
        else:
            of_artifacts[owner] = (*of_artifacts.get(owner, ()), problem)
    return FileCheck(artifacts=of_artifacts, others=tuple(others))


def file_problems(manifest: Manifest, folder: Path) -> Iterator[Problem]:
    """Files that are missing, changed or not listed."""
    return (problem for _, problem in _wrong(manifest, folder))


def lacking(manifest: Manifest) -> Iterator[str]:
    """What the last export into the folder was to leave in it and did not, in sentences."""
    for name in manifest.kept:
        yield f"The last export of {name} failed; what lies here is from the one before."
    for name in manifest.failed:
        yield f"{name} is not here: its export failed."
    for job in manifest.jobs:
        if job.failed_targets:
            yield f"{job.name} was exported without {', '.join(job.failed_targets)}, which failed."


def shortfalls(manifest: Manifest) -> Iterator[Problem]:
    """For `verify`: files that are here can still be proven; an empty folder is an error."""
    for text in lacking(manifest):
        yield warning(
            ExitCode.VERIFY,
            text,
            hint="`verify` speaks of the files that are here; `release` refuses such a folder.",
        )
    if not manifest.jobs:
        yield Problem(
            code=ExitCode.OUTPUT,
            message="Nothing was exported into this folder.",
            hint="Export again; report.html says what failed.",
        )


def _wrong(manifest: Manifest, folder: Path) -> Iterator[tuple[str, Problem]]:
    listed = {record.path: record for record in listed_files(manifest, folder)}
    for path, record in listed.items():
        file = folder / path
        if not file.is_file():
            yield path, wrong_file(file, f"{path} is missing.")
        elif file.stat().st_size != record.bytes or file_digest(file) != record.sha256:
            text = f"{path} is not the file that was exported: its sha256 differs."
            yield path, wrong_file(file, text)
    for file in sorted(folder.rglob("*")):
        path = relative(file, folder)
        if path.split("/")[0] == HIDDEN or file.is_dir():
            continue
        if path not in listed and path not in {SUMS, *_REPORTS}:
            yield path, wrong_file(file, f"{path} is not listed in {NAME}.")
    if not (folder / SUMS).is_file() or (folder / SUMS).read_text() != sums(listed.values()):
        yield SUMS, wrong_file(folder / SUMS, f"{SUMS} does not agree with {NAME}.")


def wrong_file(file: Path, message: str) -> Problem:
    """Of a file that is not what the manifest says."""
    return Problem(
        code=ExitCode.VERIFY,
        message=message,
        hint="Export again, or restore the folder as it was.",
        where=Where(file=str(file)),
    )

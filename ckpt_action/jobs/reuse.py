"""Take what is unchanged from an earlier export, once every byte of it agrees with its digest."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path, PurePosixPath

from ckpt_action.digests import copy_checked, file_record, folder_records, relative
from ckpt_action.earlier import Earlier
from ckpt_action.jobs.fingerprint import config_digest
from ckpt_action.jobs.inputs import checkpoint_record
from ckpt_action.manifest import Exported, Manifest, outcome_of
from ckpt_action.outcome import ArtifactOutcome, FileRecord, JobOutcome
from ckpt_action.plan import Job
from ckpt_action.progress import Progress
from ckpt_action.safe_paths import plain_path
from ckpt_action.status import Status, job_status
from ckpt_action.trail import LISTING, kind, modules


def take(
    job: Job, earlier: Earlier, environment: str, into: Path, progress: Progress
) -> JobOutcome | None:
    """The outcome of the earlier export of `job` where nothing has changed since; else None.

    Its files are copied into the new folder `into`, or stay where they are if that is in the output
    folder, and are compared with their digests either way.
    """
    entry = next((entry for entry in earlier.manifest.jobs if entry.name == job.name), None)
    if entry is None or earlier.folder is None:
        return None
    if reason := next(_changes(job, entry, earlier.manifest, environment), ""):
        progress(job.name, f"exported again: {reason}")
        return None
    if not _whole(entry, earlier.folder, None if earlier.here else into):
        progress(job.name, f"exported again: {earlier.name} is damaged")
        return None
    progress.done(job.name, f"unchanged, taken from {earlier.name}")
    return replace(outcome_of(entry), taken_from=earlier.name)


def _changes(job: Job, entry: Exported, manifest: Manifest, environment: str) -> Iterator[str]:
    """Why `entry` cannot stand for an export of `job` now, the cheapest to find out first."""
    yield from _shortcomings(job, entry, manifest)
    if entry.environment_digest != environment:
        yield "the installed packages or ckpt-action changed"
    if entry.config_digest != config_digest(job):
        yield "its configuration changed"
    yield from (f"{name} changed" for name in _changed_files(job, entry))
    roots = (*job.python_path, job.folder)
    for module in entry.absent:
        if any(_provides(root, module) for root in roots):
            yield f"there is a module {module} now"
    for path, found in entry.lookups.items():
        now, place = kind(job.folder / path), PurePosixPath(path)
        if place.name == LISTING:
            yield from (
                f"{place.with_name(name)} may hide another module"
                for name in sorted(modules(now) - modules(found))
                if _hides(name, job, entry)
            )
        elif now != found:
            yield f"{path} is {now} now, and was {found}"
    if entry.checkpoint != checkpoint_record(job):
        yield "the checkpoint changed"


def _hides(name: str, job: Job, entry: Exported) -> bool:
    """Whether `name`, a new module or folder, is called as one that the code may have imported."""
    stem = name.split(".", maxsplit=1)[0]
    paths = [PurePosixPath(record.path) for record in entry.sources]
    if any(stem in (path.stem, path.parent.name) for path in paths):
        return True
    searched = {root.resolve() for root in (*job.python_path, job.folder)}
    outside = [p for p in sys.path if p and Path(p).resolve() not in searched]
    return stem in sys.stdlib_module_names or PathFinder.find_spec(stem, outside) is not None


def _shortcomings(job: Job, entry: Exported, manifest: Manifest) -> Iterator[str]:
    """Why nobody can tell whether `entry` is still what an export would make."""
    if entry.name in manifest.kept or entry.failed_targets:
        yield "the last export failed"
    if job_status(entry) is not Status.PROVEN:
        yield "it was not proven"
    if {a.name for a in entry.artifacts} != {target.name for target in job.model.targets}:
        yield "other targets"
    for what in entry.unrecorded:
        yield f"its code read {what}, which is not recorded"
    for artifact in entry.artifacts:
        if any(file.path.startswith("assets/") for file in artifact.files):
            yield "its assets are not recorded"


def _changed_files(job: Job, entry: Exported) -> Iterator[str]:
    golden = job.model.verify.golden
    pairs = [(entry.golden, golden)] if entry.golden or golden else []
    if len(entry.op_libraries) != len(job.model.op_libraries):
        yield "op-libraries"
    pairs += zip(entry.op_libraries, job.model.op_libraries, strict=False)
    pairs += ((record, job.folder / record.path) for record in entry.sources)
    for record, file in pairs:
        if record is None or file is None or not _same(record, file, job.folder):
            yield relative(file, job.folder) if file else "the golden file"


def _same(record: FileRecord, file: Path, folder: Path) -> bool:
    try:
        return file.stat().st_size == record.bytes and file_record(file, folder) == record
    except OSError:
        return False


def _provides(root: Path, module: str) -> bool:
    place = root.joinpath(*module.split("."))
    return place.is_dir() or any(place.parent.glob(f"{place.name}.*"))


def _whole(entry: Exported, folder: Path, into: Path | None) -> bool:
    if not all(_in_place(entry, artifact) for artifact in entry.artifacts):
        return False
    if into is None:
        return all(folder_records(folder / a.folder) == a.files for a in entry.artifacts)
    if all(
        _copied(folder / artifact.folder, into / artifact.name, record)
        for artifact in entry.artifacts
        for record in artifact.files
    ):
        return True
    shutil.rmtree(into, ignore_errors=True)
    return False


def _in_place(entry: Exported, artifact: ArtifactOutcome) -> bool:
    plain = all(plain_path(record.path) for record in artifact.files)
    right = artifact.folder == f"{entry.name}/{artifact.name}"
    return right and plain and bool(artifact.files)


def _copied(source: Path, target: Path, record: FileRecord) -> bool:
    try:
        return copy_checked(source / record.path, target / record.path, record)
    except OSError:
        return False

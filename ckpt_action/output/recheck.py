"""An exported folder again, without the code it was made from: files, payloads, golden values."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.digests import file_digest
from ckpt_action.errors import CkptActionError, ExitCode, fail
from ckpt_action.manifest import NAME, read_manifest
from ckpt_action.outcome import Run
from ckpt_action.output.file_check import check_files, shortfalls, wrong_file
from ckpt_action.output.job_check import JobCheck
from ckpt_action.output.staging import recover
from ckpt_action.processes.supervisor import Supervisor
from ckpt_action.progress import Progress
from ckpt_action.repository import path_from
from ckpt_action.safe_paths import is_inside, ways_out


@dataclass(frozen=True, kw_only=True)
class Options:
    base: Path | None = None
    """Folder that golden files are relative to; searched upwards if None."""
    jobs: int = 1
    op_libraries: tuple[Path, ...] = ()
    """What the person allows to be loaded. The folder may be anybody's, so that what it names
    itself is never loaded."""


def recheck(folder: Path, options: Options, environ: Mapping[str, str], progress: Progress) -> Run:
    """Check every file of `folder` against the manifest and open every artifact again.

    Problems are in the returned run, those of one artifact with it. Raises CkptActionError:
    OUTPUT where `folder` holds no readable manifest, VERIFY where that leads out of `folder`,
    ENVIRONMENT for an op library that cannot be used.
    """
    folder = folder.absolute()
    if folder.is_file():
        message = f"{folder.name} is a file, not an exported folder."
        raise fail(ExitCode.OUTPUT, message, hint=_exported_folder(folder))
    recover(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        message = f"There is no {NAME} in {folder}."
        raise fail(ExitCode.OUTPUT, message, hint=_exported_folder(folder))
    # What leads out of the folder is not even looked at.
    if problems := [wrong_file(folder / NAME, way) for way in ways_out(manifest, folder)]:
        raise CkptActionError(*problems)
    libraries = _by_digest(options.op_libraries, folder)
    files = check_files(manifest, folder)
    with (
        tempfile.TemporaryDirectory(prefix="ckpt-action-") as work,
        ThreadPoolExecutor(options.jobs) as pool,
        contextlib.closing(
            Supervisor(jobs=options.jobs, folder=Path(work), environ=environ)
        ) as supervisor,
    ):
        checks = [
            JobCheck(
                job=job,
                folder=folder,
                files=files,
                work=Path(work) / str(number),
                libraries=libraries,
                bases=(options.base.absolute(),) if options.base else (Path.cwd(), *folder.parents),
                supervisor=supervisor,
                progress=progress,
            )
            for number, job in enumerate(manifest.jobs)
        ]
        jobs = tuple(pool.map(JobCheck.run, checks))
    return Run(
        tool=__version__,
        config=str(folder / NAME),
        jobs=jobs,
        problems=(*files.others, *shortfalls(manifest), *supervisor.notes),
    )


def _exported_folder(path: Path) -> str:
    """The one around `path`, a file or a folder in it."""
    around = next((folder for folder in path.parents if (folder / NAME).is_file()), None)
    if around is None:
        return "Give the folder that `ckpt-action export` wrote into."
    return f"Give the whole folder: `ckpt-action verify {path_from(Path.cwd(), around)}`."


def _by_digest(libraries: Iterable[Path], folder: Path) -> dict[str, Path]:
    found = {}
    for library in map(Path.absolute, libraries):
        if is_inside(library, folder):
            raise fail(
                ExitCode.ENVIRONMENT,
                f"{library} lies in the folder that is to be verified.",
                hint="Give the library that the export was made with.",
            )
        try:
            found[file_digest(library)] = library
        except OSError as error:
            raise fail(
                ExitCode.ENVIRONMENT, f"{library} cannot be read: {error.strerror}."
            ) from None
    return found

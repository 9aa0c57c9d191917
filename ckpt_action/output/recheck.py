"""An exported folder again, without the code it was made from: files, payloads, golden values."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action import __version__
from ckpt_action.codec import from_data, to_data
from ckpt_action.config.records import Verify
from ckpt_action.digests import file_digest
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, fail
from ckpt_action.file_check import FileCheck, check_files, shortfalls, wrong_file
from ckpt_action.jobs.job import Progress
from ckpt_action.manifest import NAME, Exported, read_manifest
from ckpt_action.outcome import ArtifactOutcome, FileRecord, JobOutcome, Run
from ckpt_action.output.staging import recover
from ckpt_action.output.ways_out import is_inside, ways_out
from ckpt_action.processes.memory import verify_need
from ckpt_action.processes.requests import VERIFY, Request, VerifyRequest, VerifyResult
from ckpt_action.processes.supervisor import Supervisor
from ckpt_action.verify import tolerances

_TIMEOUT = 1800.0


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
    recover(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise fail(
            ExitCode.OUTPUT,
            f"There is no {NAME} in {folder}.",
            hint="Give the folder that `ckpt-action export` wrote into.",
        )
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
            _JobCheck(
                job=job,
                folder=folder,
                files=files,
                work=Path(work) / str(number),
                libraries=libraries,
                bases=(options.base,) if options.base else (Path.cwd(), *folder.parents),
                supervisor=supervisor,
                progress=progress,
            )
            for number, job in enumerate(manifest.jobs)
        ]
        jobs = tuple(pool.map(_JobCheck.run, checks))
    return Run(
        tool=__version__,
        config=str(folder / NAME),
        jobs=jobs,
        problems=(*files.others, *shortfalls(manifest)),
    )


@dataclass(frozen=True, kw_only=True)
class _JobCheck:
    """One job of the manifest."""

    job: Exported
    folder: Path
    files: FileCheck
    work: Path
    libraries: Mapping[str, Path]
    """By sha256, those that may be loaded."""
    bases: tuple[Path, ...]
    """Folders that golden files may be relative to."""
    supervisor: Supervisor
    progress: Progress

    def run(self) -> JobOutcome:
        golden = self._golden()
        problems = self.job.problems
        if self.job.golden and golden is None:
            problems += (_no_golden(self.job.golden),)
        problems += tuple(_loose(self.job))
        unusable = tuple(self._unusable())
        artifacts = tuple(
            replace(artifact, files=(), proofs=(), verdicts=(), problems=wrong)
            if (wrong := self.files.artifacts.get(artifact.folder, unusable))
            else self._check(artifact, golden, self.work / str(number))
            for number, artifact in enumerate(self.job.artifacts)
        )
        outcome = replace(self.job, artifacts=artifacts, problems=problems)
        failed = outcome.exit_code is not ExitCode.OK
        self.progress.done(self.job.name, "failed" if failed else "verified")
        return outcome

    def _golden(self) -> Path | None:
        """The recorded golden file, known by its digest."""
        record = self.job.golden
        found = [base / record.path for base in self.bases] if record else []
        return next(
            (f for f in found if f.is_file() and record and file_digest(f) == record.sha256), None
        )

    def _unusable(self) -> Iterator[Problem]:
        """Why no artifact of this job can be opened."""
        known = {variable.path for variable in self.job.variables}
        for artifact in self.job.artifacts:
            if artifact.format not in registry():
                yield _edited(f"the unknown format {artifact.format!r}", self.folder)
            if artifact.folder != f"{self.job.name}/{artifact.name}":
                yield _edited(f"{artifact.folder} for {self.job.name}", self.folder)
            for path in sorted(set(artifact.payloads.values()) - known):
                yield _edited(f"no digest of variable {path!r}", self.folder)
        for record in self.job.op_libraries:
            if record.sha256 not in self.libraries:
                yield _no_library(self.job.name, record)

    def _check(self, artifact: ArtifactOutcome, golden: Path | None, work: Path) -> ArtifactOutcome:
        self.progress(self.job.name, f"verifying {artifact.name}")
        digests = {v.path: v.sha256 for v in self.job.variables}
        request = VerifyRequest(
            format=artifact.format,
            name=artifact.name,
            folder=self.folder / artifact.folder,
            signatures=artifact.signatures,
            variables={path: digests[path] for path in sorted(set(artifact.payloads.values()))},
            payloads=artifact.payloads,
            transformed=artifact.transformed,
            rearranged=artifact.rearranged,
            max_error=artifact.max_error,
            unproven=artifact.unproven,
            verify=Verify(golden=golden, rtol=self.job.rtol, atol=self.job.atol),
            op_libraries=tuple(self.libraries[r.sha256] for r in self.job.op_libraries),
        )
        answer = self.supervisor.run(
            "keras-3",
            Request(
                task=VERIFY,
                arguments=to_data(request),
                work=work,
                timeout=_TIMEOUT,
                memory=verify_need(artifact.bytes),
            ),
        )
        if answer.result is None:
            return replace(artifact, proofs=(), verdicts=(), problems=answer.problems)
        found = from_data(VerifyResult, answer.result)
        return replace(
            artifact, proofs=found.proofs, verdicts=found.verdicts, problems=found.problems
        )


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


def _no_library(job: str, record: FileRecord) -> Problem:
    return Problem(
        code=ExitCode.ENVIRONMENT,
        message=f"{job} needs the op library {record.path} (sha256 {record.sha256}), which was not "
        "given.",
        hint="Loading it runs its code. If you trust it, name it with --op-library FILE.",
    )


def _edited(what: str, folder: Path) -> Problem:
    return wrong_file(folder / NAME, f"{NAME} was changed after the export: it has {what}.")


def _loose(job: Exported) -> Iterator[Problem]:
    """Tolerances that the manifest asks for; the folder may be anybody's."""
    defaults = dict(
        zip(("rtol", "atol"), tolerances("float32", "golden", rtol=None, atol=None), strict=True)
    )
    for name, default in defaults.items():
        asked = getattr(job, name)
        if asked is not None and not asked <= default:
            yield Problem(
                code=ExitCode.VERIFY,
                severity=Severity.WARNING,
                message=f"{job.name} is compared with {name} {asked:g}, as {NAME} says; the "
                f"default is {default:g}.",
                hint="See to it that the configuration of whoever exported it says the same.",
            )


def _no_golden(record: FileRecord) -> Problem:
    return Problem(
        code=ExitCode.VERIFY,
        severity=Severity.WARNING,
        message=f"The golden file {record.path} was not found as it was at the export, so values "
        "were not compared; bytes were.",
        hint="Give the configuration's folder with --base.",
    )

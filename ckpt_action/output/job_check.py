"""One job of an exported folder again: its artifacts, opened by children that trust nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ckpt_action.codec import from_data, to_data
from ckpt_action.config.records import Model, Verify
from ckpt_action.digests import file_digest
from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode, Problem, warning
from ckpt_action.manifest import NAME, Exported
from ckpt_action.outcome import ArtifactOutcome, FileRecord, JobOutcome, Proof
from ckpt_action.output.file_check import FileCheck, wrong_file
from ckpt_action.output.trusted_tolerances import loosened, own_model, warnings
from ckpt_action.processes.diagnosis import last_stage
from ckpt_action.processes.memory import verify_need
from ckpt_action.processes.requests import VERIFY, Request, VerifyRequest, VerifyResult
from ckpt_action.processes.supervisor import Supervisor
from ckpt_action.progress import Progress

_TIMEOUT = 1800.0


@dataclass(frozen=True, kw_only=True)
class JobCheck:
    """One job of the manifest, to be checked from its files alone."""

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
        """What is still proven of each artifact; problems are in the outcome, none is raised."""
        golden = self._golden()
        problems = self.job.problems
        if self.job.golden and golden is None:
            problems += (_no_golden(self.job.golden),)
        own = own_model(self.job, self.bases, self.folder)
        problems += tuple(warnings(self.job, own))
        unusable = tuple(self._unusable())
        artifacts = tuple(
            replace(artifact, files=(), proofs=(), verdicts=(), problems=wrong)
            if (wrong := self.files.artifacts.get(artifact.folder, unusable))
            else self._trusted(self._check(artifact, golden, self.work / str(number)), own)
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

    def _trusted(self, artifact: ArtifactOutcome, own: Model | None) -> ArtifactOutcome:
        """Without the proof of its values where only the manifest lets them differ so far."""
        if not (words := loosened(self.job, artifact, own)):
            return artifact
        detail = f"compared with {', '.join(words)}, which only {NAME} asks for"
        others = [proof for proof in artifact.proofs if proof.name != "golden"]
        nothing = Proof(name="values", passed=None, detail=detail)
        return replace(artifact, proofs=(*others, nothing))

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
            weak_golden=artifact.weak_golden,
            unproven=_excused(artifact),
            verify=Verify(golden=golden, rtol=self.job.rtol, atol=self.job.atol),
            op_libraries=tuple(self.libraries[r.sha256] for r in self.job.op_libraries),
        )
        asked = Request(
            task=VERIFY,
            arguments=to_data(request),
            work=work,
            timeout=_TIMEOUT,
            memory=verify_need(artifact.bytes),
        )
        with self.progress.waiting(self.job.name, partial(last_stage, asked)):
            answer = self.supervisor.run("keras-3", asked)
        if answer.result is None:
            return replace(artifact, proofs=(), verdicts=(), problems=answer.problems)
        found = from_data(VerifyResult, answer.result)
        return replace(
            artifact, proofs=found.proofs, verdicts=found.verdicts, problems=found.problems
        )


def _no_library(job: str, record: FileRecord) -> Problem:
    return Problem(
        code=ExitCode.ENVIRONMENT,
        message=f"{job} needs the op library {record.path} (sha256 {record.sha256}), which was not "
        "given.",
        hint="Loading it runs its code. If you trust it, name it with --op-library FILE.",
    )


def _edited(what: str, folder: Path) -> Problem:
    return wrong_file(folder / NAME, f"{NAME} was changed after the export: it has {what}.")


def _excused(artifact: ArtifactOutcome) -> dict[str, str]:
    """A format is excused from bytes only where it stores nothing as it was."""
    return {
        name: why
        for name, why in artifact.unproven.items()
        if name != "payload" or not artifact.payloads
    }


def _no_golden(record: FileRecord) -> Problem:
    return warning(
        ExitCode.VERIFY,
        f"The golden file {record.path} was not found as it was at the export, so values "
        "were not compared; bytes were.",
        hint="Give the configuration's folder with --base.",
    )

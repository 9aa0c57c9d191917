"""One job from its plan to its outcome: export in one child, verify each artifact in another."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

from ckpt_action.codec import from_data, to_data
from ckpt_action.digests import folder_bytes, folder_records
from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode, Problem
from ckpt_action.jobs.artifact_check import unproven, verify_request
from ckpt_action.jobs.export_attempts import Attempt, export_without_what_crashes
from ckpt_action.jobs.gates import gated
from ckpt_action.jobs.inputs import (
    changed_problem,
    checkpoint_record,
    golden_record,
    library_records,
    stamps,
)
from ckpt_action.jobs.keras_attempts import try_environments
from ckpt_action.outcome import ArtifactOutcome, JobOutcome
from ckpt_action.plan import Job
from ckpt_action.processes.diagnosis import last_stage, with_output
from ckpt_action.processes.environments import Environment
from ckpt_action.processes.memory import export_need, verify_need
from ckpt_action.processes.requests import (
    ARTIFACTS,
    EXPORT,
    VERIFY,
    ExportRequest,
    ExportResult,
    Request,
    VerifyResult,
)
from ckpt_action.processes.supervisor import Answer, Supervisor
from ckpt_action.progress import Progress


class JobRun:
    """The way of one job; `run` is called once."""

    def __init__(
        self, job: Job, supervisor: Supervisor, *, work: Path, folder: Path, progress: Progress
    ) -> None:
        """`folder` becomes the job's folder with the artifacts that passed, or does not exist
        afterwards; `work` is for requests, logs and artifacts that are not proven."""
        self._job = job
        self._supervisor = supervisor
        self._work = work
        self._folder = folder
        self._progress = progress
        self._counting = Lock()
        self._seconds = 0.0
        self._peak_rss = 0
        self._attempt: Attempt
        """The last export that was asked for."""
        self._hashing = ThreadPoolExecutor(1)
        """Files are hashed while a child works."""

    def run(self) -> JobOutcome:
        """Export and verify; whatever goes wrong is in the outcome, nothing is raised for it."""
        with self._hashing:
            return self._run()

    def _run(self) -> JobOutcome:
        before = stamps(self._job)
        checkpoint = self._hashing.submit(checkpoint_record, self._job)
        environment, result, problems = self._export()
        work = self._attempt.work
        outcome = JobOutcome(
            name=self._job.name,
            model=self._job.model.name,
            checkpoint=checkpoint.result(),
            entry_point=str(self._job.model.entry_point or ""),
            golden=golden_record(self._job),
            op_libraries=library_records(self._job),
            problems=problems,
        )
        if result is not None:
            outcome = replace(
                outcome,
                binding=result.binding,
                variables=result.variables,
                proofs=result.proofs,
                verdicts=result.verdicts,
                sources=result.sources,
                absent=result.absent,
                lookups=result.lookups,
                unrecorded=result.unrecorded,
                versions=result.versions,
                problems=problems + with_output(result.problems, work),
                artifacts=self._in_order(self._finished(environment, result)),
            )
        if changed := changed_problem(before, self._job):
            outcome = self._discard(outcome, changed)
        outcome = replace(outcome, seconds=self._seconds, peak_rss=self._peak_rss)
        failed = outcome.exit_code is not ExitCode.OK
        self._progress.done(
            self._job.name, "failed" if failed else f"done in {self._seconds:.1f} s"
        )
        return outcome

    def _discard(self, outcome: JobOutcome, changed: Problem) -> JobOutcome:
        """The manifest would name a checkpoint that is not the one in the artifacts."""
        shutil.rmtree(self._folder, ignore_errors=True)
        artifacts = tuple(replace(a, problems=(*a.problems, changed)) for a in outcome.artifacts)
        return replace(outcome, artifacts=artifacts, problems=(*outcome.problems, changed))

    def _export(self) -> tuple[Environment, ExportResult | None, tuple[Problem, ...]]:
        tried = try_environments(self._job, self._ask_export)
        result = None if tried.result is None else from_data(ExportResult, tried.result)
        if result is not None:
            self._supervisor.tell(*result.slower)
        return tried.environment, result, tried.problems

    def _ask_export(self, environment: Environment) -> Answer:
        ask = partial(self._ask_export_of, environment)
        work = self._work / environment
        self._attempt = export_without_what_crashes(self._job, work, ask)
        return self._attempt.answer

    def _ask_export_of(self, environment: Environment, job: Job, work: Path) -> Answer:
        self._progress(self._job.name, "exporting")
        request = ExportRequest(job=job, artifacts=work / ARTIFACTS, probes=work / "probes.npz")
        factors = (registry()[target.format].EXPORT_MEMORY for target in job.model.targets)
        need = export_need(job.checkpoint.bytes, factors)
        return self._ask(environment, EXPORT, to_data(request), work, need)

    def _finished(
        self, environment: Environment, result: ExportResult
    ) -> tuple[ArtifactOutcome, ...]:
        """All at once; how many children really run is the supervisor's to say."""
        with ThreadPoolExecutor(max(1, len(result.artifacts))) as pool:
            finish = partial(self._finish, environment=environment, result=result)
            return tuple(pool.map(finish, result.artifacts))

    def _in_order(self, finished: tuple[ArtifactOutcome, ...]) -> tuple[ArtifactOutcome, ...]:
        """As declared, with those that a child died of."""
        order = [target.name for target in self._job.model.targets]
        return tuple(sorted(finished + self._attempt.crashed, key=lambda a: order.index(a.name)))

    def _finish(
        self, artifact: ArtifactOutcome, environment: Environment, result: ExportResult
    ) -> ArtifactOutcome:
        """Verify what was written and, where nothing is wrong with it, move it to its place."""
        written = self._attempt.work / ARTIFACTS / artifact.name
        if not artifact.passed:
            part = result.printed[artifact.name]
            told = with_output(artifact.problems, self._attempt.work, part)
            return replace(artifact, problems=told)
        files = self._hashing.submit(folder_records, written)
        artifact = self._verified(artifact, environment, result, written)
        artifact = replace(artifact, files=files.result())
        artifact = replace(artifact, problems=artifact.problems + unproven(artifact))
        if artifact.passed:
            artifact = gated(artifact, self._job.model.target(artifact.name), written)
        if artifact.passed:
            self._folder.mkdir(exist_ok=True)
            written.rename(self._folder / artifact.name)
        return artifact

    def _verified(
        self,
        artifact: ArtifactOutcome,
        environment: Environment,
        result: ExportResult,
        written: Path,
    ) -> ArtifactOutcome:
        self._progress(self._job.name, f"verifying {artifact.name}")
        probes = self._attempt.work / "probes.npz"
        request = verify_request(self._job.model, result, artifact, written, probes)
        work = self._work / f"verify-{artifact.name}"
        need = verify_need(folder_bytes(written))
        answer = self._ask(environment, VERIFY, to_data(request), work, need)
        if answer.result is None:
            return replace(artifact, problems=artifact.problems + answer.problems)
        found = from_data(VerifyResult, answer.result)
        return replace(
            artifact,
            proofs=found.proofs,
            verdicts=found.verdicts,
            latency=found.latency,
            problems=artifact.problems + with_output(found.problems, work),
        )

    def _ask(
        self,
        environment: Environment,
        task: str,
        arguments: dict[str, object],
        work: Path,
        memory: int,
    ) -> Answer:
        request = Request(
            task=task,
            arguments=arguments,
            work=work,
            timeout=self._job.model.timeout,
            memory=memory,
        )
        with self._progress.waiting(self._job.name, partial(last_stage, request)):
            answer = self._supervisor.run(environment, request)
        with self._counting:
            self._seconds += answer.ended.seconds
            self._peak_rss = max(self._peak_rss, answer.ended.peak_rss)
        return answer

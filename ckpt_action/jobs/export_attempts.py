"""One job in one environment, again without each target that took the exporting child with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.config.records import TargetSpec
from ckpt_action.outcome import ArtifactOutcome
from ckpt_action.plan import Job
from ckpt_action.processes.requests import ARTIFACTS, writing
from ckpt_action.processes.supervisor import Answer


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of the last child."""

    work: Path
    """Its folder."""
    answer: Answer
    crashed: tuple[ArtifactOutcome, ...] = ()
    """Targets that earlier children died of, each with the problem that says how."""


def export_without_what_crashes(
    job: Job, work: Path, ask: Callable[[Job, Path], Answer]
) -> Attempt:
    """Converters crash in native code, and no `except` holds that: the next child leaves out what
    this one was writing. Every child does the whole of the job, and proves it."""
    crashed: list[ArtifactOutcome] = []
    while True:
        folder = work.with_name(f"{work.name}-{len(crashed)}") if crashed else work
        answer = ask(job, folder)
        fatal = next((t for t in job.model.targets if writing(t.name) == answer.died_at), None)
        if fatal is None or len(job.model.targets) == 1:
            if answer.result is None:
                early = tuple(problem for artifact in crashed for problem in artifact.problems)
                answer = replace(answer, problems=early + answer.problems)
            return Attempt(work=folder, answer=answer, crashed=tuple(crashed))
        crashed.append(_crashed(job, fatal, answer))
        job = _without(job, fatal)
        shutil.rmtree(folder / ARTIFACTS, ignore_errors=True)


def _crashed(job: Job, target: TargetSpec, answer: Answer) -> ArtifactOutcome:
    hint = "The other targets go on without it: leave it out, or give it other options."
    return ArtifactOutcome(
        format=target.format,
        name=target.name,
        folder=f"{job.name}/{target.name}",
        problems=tuple(replace(p, hint=f"{p.hint} {hint}") for p in answer.problems),
    )


def _without(job: Job, target: TargetSpec) -> Job:
    left = tuple(t for t in job.model.targets if t.name != target.name)
    return replace(job, model=replace(job.model, targets=left))

"""What became of the earlier export in the output folder: what stays of it, and what had to go."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from ckpt_action.errors import ExitCode, Problem, note, warning
from ckpt_action.manifest import Exported, Manifest
from ckpt_action.outcome import JobOutcome


def tell(
    old: Manifest | None, new: Manifest, *, placed: Collection[str], removed: Collection[str]
) -> Iterator[Problem]:
    """For the run that placed the jobs `placed`, and removed the jobs `removed`."""
    if old is None:
        return
    fresh = {job.name: job for job in new.jobs if job.name in placed}
    for job in old.jobs:
        if job.name in fresh:
            yield from _targets(job, fresh[job.name])
        elif job.name in removed:
            text = f"{job.name!r} of the earlier export was removed: nothing declares it now."
            yield note(ExitCode.OUTPUT, text)
        elif failed(job, new):
            text = f"{job.name!r} of the earlier export stays, for the last export of it failed."
            yield warning(ExitCode.OUTPUT, text, hint="`release` refuses the folder as it is.")


def failed(job: Exported, manifest: Manifest) -> bool:
    """Whether `job` is older than the last attempt to export it."""
    return job.name in manifest.kept or job.model in manifest.failed


def outdated(job: Exported) -> JobOutcome:
    """As a report shows a job whose last export failed before there was anything to tell of it."""
    text = f"The last export of {job.name} failed. This is the one before."
    return replace(job, problems=(*job.problems, Problem(code=ExitCode.OUTPUT, message=text)))


def _targets(old: Exported, new: Exported) -> Iterator[Problem]:
    """Targets of an earlier export of one job that its new folder does not have."""
    there = {artifact.name for artifact in new.artifacts}
    for artifact in old.artifacts:
        what = f"{artifact.name!r} of the earlier export of {new.name!r} was removed"
        if artifact.name in new.failed_targets:
            text = f"{what}: it failed now, and no folder holds parts of two exports."
            yield warning(ExitCode.OUTPUT, text, hint="Mend what failed, and export again.")
        elif artifact.name not in there:
            yield note(ExitCode.OUTPUT, f"{what}: it is no target now.")

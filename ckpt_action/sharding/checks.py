"""What can be wrong with the shards of an export: each by itself, and all against the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where
from ckpt_action.manifest import Exported, Manifest, read_manifest
from ckpt_action.outcome import ArtifactOutcome, JobOutcome
from ckpt_action.safe_paths import plain_path, ways_out
from ckpt_action.shard import Shard, ShardRecord, read_record
from ckpt_action.sharding.planned import Planned, PlannedJob


@dataclass(frozen=True, kw_only=True)
class Part:
    """One shard's folder."""

    folder: Path
    record: ShardRecord
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path) -> Part:
        record = read_record(folder)
        manifest = read_manifest(folder) or Manifest()
        if ways := [*ways_out(manifest, folder)]:
            raise CkptActionError(*(part_problem(way, folder, ExitCode.VERIFY) for way in ways))
        return cls(folder=folder, record=record, manifest=manifest)

    def outcome(self, name: str) -> JobOutcome | None:
        return next((job for job in self.record.run.jobs if job.name == name), None)

    def entry(self, name: str) -> Exported | None:
        """What the shard's manifest has of a job, unless that is older than its last export."""
        kept = name in self.manifest.kept
        return next((job for job in self.manifest.jobs if job.name == name and not kept), None)


def unlike_plan(job: PlannedJob, found: JobOutcome, part: Part) -> Iterator[Problem]:
    checkpoint = found.checkpoint
    wanted = job.checkpoint
    if (checkpoint.path, checkpoint.step, checkpoint.bytes) != (
        wanted.path,
        wanted.step,
        wanted.bytes,
    ):
        text = f"{job.name} was exported from {checkpoint.path} ({checkpoint.bytes} bytes), "
        text += f"planned was {wanted.path} ({wanted.bytes} bytes)."
        yield part_problem(text, part.folder, ExitCode.CHECKPOINT)
    elif checkpoint.sha256 != wanted.sha256:
        text = (
            f"{job.name} was exported from {checkpoint.path} with other values than were planned."
        )
        yield part_problem(text, part.folder, ExitCode.CHECKPOINT)
    if isinstance(found, Exported) and found.config_digest != job.config_digest:
        text = f"{job.name} was exported with another configuration than was planned."
        yield part_problem(text, part.folder, ExitCode.CONFIG)
    names = {artifact.name for artifact in found.artifacts}
    planned = {target.name for target in job.targets}
    failed = found.failed_targets if isinstance(found, Exported) else ()
    lacking = sorted(planned - names - set(failed))
    if found.artifacts and lacking:
        text = f"{job.name} has nothing of {', '.join(lacking)}, which was planned."
        yield part_problem(text, part.folder, ExitCode.VERIFY)
    if extra := sorted(names - planned):
        text = f"{job.name} has {', '.join(extra)}, which nobody planned."
        yield part_problem(text, part.folder, ExitCode.VERIFY)
    if isinstance(found, Exported) and not all(_in_place(job, a) for a in found.artifacts):
        text = f"{job.name}: the manifest names files in places that are not theirs."
        yield part_problem(text, part.folder, ExitCode.VERIFY)


def _in_place(job: PlannedJob, artifact: ArtifactOutcome) -> bool:
    inside = all(plain_path(file.path) for file in artifact.files)
    return inside and artifact.folder == f"{job.name}/{artifact.name}" and bool(artifact.files)


def misplaced(job: PlannedJob, planned: Planned, mine: Sequence[Part]) -> Problem:
    shard = Shard(number=job.shard, count=planned.shards)
    if not mine:
        return Problem(
            code=ExitCode.CRASH,
            message=f"{job.name} is missing: shard {shard} left nothing of it.",
            hint="Look at the log of that job; it was stopped, or its folder was not given.",
        )
    found = ", ".join(str(part.record.shard) for part in mine)
    return Problem(
        code=ExitCode.OUTPUT,
        message=f"{job.name} belongs to shard {shard} and was found in {found}.",
        hint="Give each shard of one plan once.",
    )


def strangers(planned: Planned, parts: Sequence[Part]) -> Iterator[Problem]:
    """What was exported and not planned."""
    known = {job.name for job in planned.jobs} | set(planned.without_job)
    for part in parts:
        names = {job.name for job in (*part.record.run.jobs, *part.manifest.jobs)}
        for name in sorted(names - known):
            text = f"{name} is in shard {part.record.shard}, and nobody planned it."
            yield part_problem(text, part.folder, ExitCode.OUTPUT)


def disagreements(parts: Sequence[Part]) -> Iterator[Problem]:
    """Shards of one run come from one state of the repository, one version of the tool and one set
    of packages."""
    made = {(p.record.run.tool, p.record.run.commit) for p in parts}
    if len(made) > 1:
        listed = "; ".join(sorted(f"{tool} at {commit or 'no commit'}" for tool, commit in made))
        yield _disagreement(f"The shards were not made from the same state: {listed}.")
    elif len({(p.record.run.dirty, p.record.run.uncommitted) for p in parts}) > 1:
        text = "The shards were not made from the same state: what is not committed differs."
        yield _disagreement(text)
    entries = [entry for part in parts for entry in part.manifest.jobs]
    if len({entry.environment_digest for entry in entries}) > 1:
        found = {" ".join(f"{n} {v}" for n, v in sorted(e.versions.items())) for e in entries}
        listed = f": {'; '.join(sorted(found))}" if len(found) > 1 else ""
        text = f"The shards were not exported with the same packages and settings{listed}."
        yield _disagreement(text)
    # A commit does not say everything: there may be none, or changes that it has not.
    digests: dict[str, set[str]] = {}
    for source in (s for part in parts for job in part.record.run.jobs for s in job.sources):
        digests.setdefault(source.path, set()).add(source.sha256)
    if differing := sorted(path for path, found in digests.items() if len(found) > 1):
        yield _disagreement(f"The shards were not made from the same {', '.join(differing)}.")
    for path in _unlike(parts):
        yield _disagreement(f"The shards did not find the same at {path}.")


def _unlike(parts: Sequence[Part]) -> list[str]:
    """Paths at which two shards have no answer in common. Code that leaves a file where it found
    none gets two answers in one shard."""
    found: dict[str, set[frozenset[str]]] = {}
    for part in parts:
        mine: dict[str, set[str]] = {}
        for path, what in (a for job in part.record.run.jobs for a in job.lookups.items()):
            mine.setdefault(path, set()).add(what)
        for path, answers in mine.items():
            found.setdefault(path, set()).add(frozenset(answers))
    return sorted(
        path
        for path, each in found.items()
        if any(one.isdisjoint(other) for one, other in combinations(each, 2))
    )


def _disagreement(message: str) -> Problem:
    return Problem(
        code=ExitCode.OUTPUT,
        message=message,
        hint="Export all shards from one commit, with one version of ckpt-action and one set of "
        "packages.",
    )


def part_problem(message: str, folder: Path, code: ExitCode) -> Problem:
    return Problem(
        code=code,
        message=message,
        hint="Export this shard again.",
        where=Where(file=str(folder)),
    )

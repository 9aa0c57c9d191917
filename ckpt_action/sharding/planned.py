"""A plan as `plan --format json` prints it, read back by who only has the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckpt_action.errors import ExitCode, Problem, Severity, Where, fail


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    name: str
    path: str
    """Of the checkpoint, relative to the configuration's folder."""
    step: int | None
    bytes: int
    sha256: str
    """Of the checkpoint, as the manifest has it."""
    config_digest: str
    targets: tuple[str, ...]
    shard: int
    """Counted from 1."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    config: str
    shards: int
    jobs: tuple[PlannedJob, ...]
    problems: tuple[Problem, ...]

    @property
    def without_job(self) -> tuple[str, ...]:
        """Models that are declared and of which nothing can be exported."""
        named = {p.where.key_path or "" for p in self.problems if p.where and _is_error(p)}
        models = {path.split(".")[1] for path in named if path.startswith("models.")}
        return tuple(sorted(models - {job.name for job in self.jobs}))


def read_planned(file: Path) -> Planned:
    """Raises CkptActionError (OUTPUT) where `file` holds no plan."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Planned(
            config=str(data["config"]),
            shards=int(data["shards"]),
            jobs=tuple(_job(job) for job in data["jobs"]),
            problems=tuple(_problem(problem) for problem in data["problems"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise fail(
            ExitCode.OUTPUT,
            f"{file} holds no plan: {error}.",
            hint="Write it with `ckpt-action plan --format json --shards N`.",
            where=Where(file=str(file)),
        ) from None


def _job(data: Mapping[str, Any]) -> PlannedJob:
    checkpoint = data["checkpoint"]
    return PlannedJob(
        name=str(data["name"]),
        path=str(checkpoint["path"]),
        step=checkpoint["step"],
        bytes=int(checkpoint["bytes"]),
        sha256=str(checkpoint["sha256"]),
        config_digest=str(data["config_digest"]),
        targets=tuple(str(target["name"]) for target in data["targets"]),
        shard=int(data["shard"]),
    )


def _problem(data: Mapping[str, Any]) -> Problem:
    where = Where(
        file=data["file"], line=data["line"], column=data["column"], key_path=data["key_path"]
    )
    return Problem(
        code=ExitCode(data["exit_code"]),
        severity=Severity(data["severity"]),
        message=data["message"],
        hint=data["hint"],
        details=tuple(data["details"]),
        where=where if data["file"] else None,
    )


def _is_error(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR

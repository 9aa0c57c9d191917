"""Config and files in, a Plan of Jobs out: what would be exported, from which files to which."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.config.architecture_file import builder
from ckpt_action.config.checkpoint_parts import root_problem
from ckpt_action.config.checkpoints import (
    ENTRY_POINT_HINT,
    checkpoint_file,
    key_of,
    missing_entry_point,
)
from ckpt_action.config.located import located
from ckpt_action.config.records import Config, Model
from ckpt_action.config.wording import key_path_text
from ckpt_action.errors import ExitCode, Problem, Where


@dataclass(frozen=True, kw_only=True)
class Job:
    """One model from one checkpoint, all its targets."""

    name: str
    """Folder in the output: `<model>`, or `<model>@<step>` where several are exported."""
    model: Model
    checkpoint: CheckpointFiles
    python_path: tuple[Path, ...]
    folder: Path
    """Folder of the configuration file; the child's working directory."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one run would do, in the order of the configuration."""

    config: Config
    jobs: tuple[Job, ...]
    problems: tuple[Problem, ...] = ()
    """Models whose checkpoints cannot be exported, and warnings; the jobs go on without them."""
    without_job: tuple[str, ...] = ()
    """Models of which a checkpoint, or how to build them, was not found; others of their
    checkpoints may have jobs."""


def make_plan(config: Config, *, models: tuple[str, ...] = ()) -> Plan:
    """What exporting `models` (all of them where empty) would do; nothing is written or run.

    A model with a problem has no job, or only those of its checkpoints that are whole; the others
    go on. HDF5 checkpoints are opened, which takes h5py.
    """
    from ckpt_action.checkpoint.discover import discover

    jobs: list[Job] = []
    problems = list(_unknown(config, models))
    without_job: set[str] = set()
    for model in config.models:
        if models and model.name not in models:
            continue
        found, wrong = discover(model.checkpoints, config.folder, model.select, look_inside=True)
        problems += [_of_model(problem, config, model) for problem in wrong]
        without_job |= {model.name} if any(problem.is_error for problem in wrong) else set()
        for checkpoint in found:
            if lack := missing_entry_point(model, checkpoint):
                lines = builder(checkpoint, config.folder)
                problems.append(_unbuildable(lack, lines, config, model))
                without_job.add(model.name)
            elif lost := root_problem(model, checkpoint):
                problems.append(_at(lost, "restore.root", config, model))
                without_job.add(model.name)
            else:
                jobs.append(_job(config, model, checkpoint))
    doubled = list(_doubled(jobs, config))
    without_job |= {job.model.name for job, _ in doubled}
    names = {job.name for job, _ in doubled}
    return Plan(
        config=config,
        jobs=tuple(job for job in jobs if job.name not in names),
        problems=located((*problems, *(problem for _, problem in doubled)), config.file),
        without_job=tuple(sorted(without_job)),
    )


def _job(config: Config, model: Model, checkpoint: CheckpointFiles) -> Job:
    return Job(
        name=_job_name(model, checkpoint),
        model=model,
        checkpoint=checkpoint,
        python_path=config.python_path,
        folder=config.folder,
    )


def _job_name(model: Model, checkpoint: CheckpointFiles) -> str:
    if model.select != "all":
        return model.name
    step = checkpoint.path.name if checkpoint.step is None else checkpoint.step
    return f"{model.name}@{step}"


def _doubled(jobs: Iterable[Job], config: Config) -> Iterator[tuple[Job, Problem]]:
    """Jobs that would write into one folder: neither is made, for each could be the one meant."""
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.name, []).append(job)
    for name, same in by_name.items():
        if len(same) > 1:
            paths = ", ".join(str(job.checkpoint.path) for job in same)
            problem = Problem(
                code=ExitCode.CONFIG,
                message=f"{len(same)} checkpoints would be exported as {name}: {paths}.",
                hint="Narrow `checkpoints`, or declare one model for each.",
            )
            yield same[0], _of_model(problem, config, same[0].model)


def _of_model(problem: Problem, config: Config, model: Model) -> Problem:
    """`problem` at the key that names the checkpoint; its own file, if any, among the details."""
    details = problem.details + checkpoint_file(problem, config.folder)
    return _at(replace(problem, details=details), key_of(problem), config, model)


def _at(problem: Problem, key: str, config: Config, model: Model) -> Problem:
    key_path = f"{key_path_text(('models', model.name))}.{key}"
    return replace(problem, where=Where(file=_shown(config), key_path=key_path))


def _shown(config: Config) -> str:
    """The file as one would name it from the working directory."""
    here = Path.cwd()
    below = config.file.is_relative_to(here)
    return (config.file.relative_to(here) if below else config.file).as_posix()


def _unbuildable(message: str, lines: tuple[str, ...], config: Config, model: Model) -> Problem:
    return Problem(
        code=ExitCode.CONFIG,
        message=message,
        hint=ENTRY_POINT_HINT,
        where=Where(file=_shown(config), key_path=key_path_text(("models", model.name))),
        details=lines,
    )


def _unknown(config: Config, models: tuple[str, ...]) -> Iterator[Problem]:
    known = [model.name for model in config.models]
    for name in models:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield Problem(
                code=ExitCode.USAGE,
                message=f"There is no model {name!r} in {config.file.name}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}.",
                where=Where(file=_shown(config)),
            )

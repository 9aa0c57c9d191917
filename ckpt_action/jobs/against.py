"""Whether a model fits a checkpoint, asked before any export: `inspect --against`."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.codec import from_data, to_data
from ckpt_action.config.load import load_config, load_python_path
from ckpt_action.config.modules import folder_of, missing_module
from ckpt_action.config.places import places_of
from ckpt_action.config.records import EntryPoint, Model
from ckpt_action.config.vocabulary import ENTRY_POINT
from ckpt_action.config.wording import as_entry_point, did_you_mean
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, fail, note
from ckpt_action.jobs.inputs import changed_problem, stamps
from ckpt_action.jobs.keras_attempts import try_environments
from ckpt_action.plan import Job
from ckpt_action.processes.diagnosis import last_stage
from ckpt_action.processes.environments import Environment
from ckpt_action.processes.requests import FIT, FitRequest, FitResult, Request
from ckpt_action.processes.supervisor import Answer, Supervisor
from ckpt_action.repository import path_from

Keras = Literal["auto", "3", "2"]
_CONFIG = Path("model-export.toml")


@dataclass(frozen=True, kw_only=True)
class Against:
    """What the command line says about the model."""

    model: str
    """`module:callable`, or the name of a declared model."""
    keras: Keras | None = None
    """None: as declared, else `auto`."""
    config: Path | None = None
    """Where a name is declared, and where code is looked for; None: `model-export.toml` of the
    working directory, which code does not need."""

    @property
    def file(self) -> Path:
        return self.config or _CONFIG


def fit(
    job: Job,
    environ: Mapping[str, str],
    waiting: Callable[[Callable[[], str]], AbstractContextManager[None]],
) -> FitResult:
    """How the checkpoint's values find the model's variables, by the code that an export runs.

    Runs the user's code in a child process; while it does, `waiting` is entered, with what tells
    its stage. Raises CkptActionError: RESTORE with both sides where they do not fit, CHECKPOINT
    where a declared file changed meanwhile, and all that rebuilding can fail with.
    """
    before = stamps(job)
    with tempfile.TemporaryDirectory(prefix="ckpt-action-") as temporary:
        folder = Path(temporary)
        supervisor = Supervisor(jobs=1, folder=folder, environ=environ)
        with contextlib.closing(supervisor):

            def ask(environment: Environment) -> Answer:
                request = Request(
                    task=FIT,
                    arguments=to_data(FitRequest(job=job)),
                    work=folder / environment,
                    timeout=job.model.timeout,
                )
                with waiting(partial(last_stage, request)):
                    return supervisor.run(environment, request)

            tried = try_environments(job, ask)
    changed = changed_problem(before, job)
    if tried.result is None or changed:
        raise CkptActionError(*tried.problems, *filter(None, [changed]))
    result = from_data(FitResult, tried.result)
    return replace(result, problems=tried.problems + result.problems)


def job_against(checkpoint: CheckpointFiles, against: Against) -> tuple[Job, tuple[Problem, ...]]:
    """What is to be fitted, and notes on it. Code that one model declares is that model, with its
    arguments and all else. Raises CkptActionError (CONFIG, USAGE) where there is no such model."""
    by_code = re.fullmatch(ENTRY_POINT, against.model) is not None
    if not by_code:
        _refuse_code(against)
    models = _models_of(against) if by_code else ()
    if len(models) == 1:
        job = _declared(checkpoint, replace(against, model=models[0]))
    else:
        job = _undeclared(checkpoint, against) if by_code else _declared(checkpoint, against)
    if against.keras is not None:
        job = replace(job, model=replace(job.model, keras=against.keras))
    return job, _notes(against, models)


def _refuse_code(against: Against) -> None:
    """Code that is written otherwise; a model may be called `net.py`."""
    is_code = re.search(r"[:/\\(]", against.model) or against.model.endswith(".py")
    if not is_code or not as_entry_point(against.model):
        return
    config = load_config(against.file).config
    declared = [model.name for model in config.models] if config else []
    if against.model not in declared:
        hint = as_entry_point(against.model, _roots(against))
        message = f"`{against.model}` is not `module:callable`, nor the name of a model."
        raise fail(ExitCode.USAGE, message, hint=hint)


def _roots(against: Against) -> Sequence[str]:
    """`python-path` as the configuration writes it, whatever else is wrong there."""
    file = against.file
    try:
        return [path_from(places_of(file).folder, folder) for folder in load_python_path(file)]
    except CkptActionError:
        return ()


def _models_of(against: Against) -> tuple[str, ...]:
    """Names of the models that declare this code; none where the configuration is not right."""
    config = load_config(against.file).config
    models = config.models if config else ()
    return tuple(model.name for model in models if against.model == str(model.entry_point))


def _notes(against: Against, models: Sequence[str]) -> tuple[Problem, ...]:
    if not models:
        return ()
    names = ", ".join(f"`{name}`" for name in models)
    if len(models) == 1:
        said = f"It is the model {names}: all that is declared for it holds here too."
        hint = ""
    else:
        said = f"The models {names} declare it; it is called without what they declare."
        hint = f"`--against {models[0]}` takes a model with its arguments and all else."
    return (
        note(
            ExitCode.OK,
            f"{against.model}: {said}",
            hint=hint,
            where=Where(file=against.file.as_posix()),
        ),
    )


def _undeclared(checkpoint: CheckpointFiles, against: Against) -> Job:
    module, _, attribute = against.model.partition(":")
    entry_point = EntryPoint(module=module, attribute=attribute)
    config = against.file
    declared = against.config is not None or config.exists()
    places = places_of(config)
    python_path = load_python_path(config) if declared else (places.folder,)
    if missing := missing_module(module, python_path, places):
        if declared:
            where = Where(file=config.as_posix())
            raise fail(ExitCode.CONFIG, missing.message, hint=missing.hint, where=where)
        message = f"There is no module `{module}` in the working directory."
        hint = missing.hint
        if found := folder_of(module, places):
            shown = path_from(places.folder, found)
            hint = f"It lies in `{shown}`: start there, or let `ckpt-action init` write a {config}."
        raise fail(ExitCode.CONFIG, message, hint=hint)
    return Job(
        name=attribute,
        model=Model(name=attribute, entry_point=entry_point, checkpoints=(), targets=()),
        checkpoint=checkpoint,
        python_path=python_path,
        folder=places.folder,
    )


def _declared(checkpoint: CheckpointFiles, against: Against) -> Job:
    """The declared model, with its arguments, signatures and rules, on this checkpoint."""
    config = against.file
    loaded = load_config(config)
    if loaded.config is None:
        raise CkptActionError(*loaded.problems)
    models = {model.name: model for model in loaded.config.models}
    if against.model not in models:
        raise fail(
            ExitCode.USAGE,
            f"There is no model `{against.model}` in {config.name}.",
            hint=did_you_mean(against.model, models)
            or f"It has {', '.join(f'`{name}`' for name in models)}; code is named as "
            "`package.module:build`.",
            where=Where(file=config.as_posix()),
        )
    return Job(
        name=against.model,
        model=models[against.model],
        checkpoint=checkpoint,
        python_path=loaded.config.python_path,
        folder=loaded.config.folder,
    )

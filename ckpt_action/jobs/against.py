"""Whether a model fits a checkpoint, asked before any export: `inspect --against`."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.codec import from_data, to_data
from ckpt_action.config.load import load_config
from ckpt_action.config.records import EntryPoint, Model
from ckpt_action.config.vocabulary import ENTRY_POINT
from ckpt_action.config.wording import did_you_mean
from ckpt_action.errors import CkptActionError, ExitCode, Where, fail
from ckpt_action.jobs.tries import try_environments
from ckpt_action.plan import Job
from ckpt_action.processes.environments import Environment
from ckpt_action.processes.requests import FIT, FitRequest, FitResult, Request
from ckpt_action.processes.supervisor import Answer, Supervisor

Keras = Literal["auto", "3", "2"]


@dataclass(frozen=True, kw_only=True)
class Against:
    """What the command line says about the model."""

    model: str
    """`module:callable`, imported from the working directory, or the name of a declared model."""
    keras: Keras | None = None
    """None: as declared, else `auto`."""
    config: Path
    """Where a name is declared."""


def fit(checkpoint: CheckpointFiles, against: Against, environ: Mapping[str, str]) -> FitResult:
    """How the checkpoint's values find the model's variables, by the code that an export runs.

    Runs the user's code in a child process. Raises CkptActionError: RESTORE with both sides where
    they do not fit, and all that rebuilding can fail with.
    """
    job = _job(checkpoint, against)
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
                return supervisor.run(environment, request)

            tried = try_environments(job, ask)
    if tried.result is None:
        raise CkptActionError(*tried.problems)
    result = from_data(FitResult, tried.result)
    return replace(result, problems=tried.problems + result.problems)


def _job(checkpoint: CheckpointFiles, against: Against) -> Job:
    by_code = re.fullmatch(ENTRY_POINT, against.model) is not None
    job = _undeclared(checkpoint, against) if by_code else _declared(checkpoint, against)
    if against.keras is None:
        return job
    return replace(job, model=replace(job.model, keras=against.keras))


def _undeclared(checkpoint: CheckpointFiles, against: Against) -> Job:
    module, _, attribute = against.model.partition(":")
    entry_point = EntryPoint(module=module, attribute=attribute)
    return Job(
        name=attribute,
        model=Model(name=attribute, entry_point=entry_point, checkpoints=(), targets=()),
        checkpoint=checkpoint,
        python_path=(Path.cwd(),),
        folder=Path.cwd(),
    )


def _declared(checkpoint: CheckpointFiles, against: Against) -> Job:
    """The declared model, with its arguments, signatures and rules, on this checkpoint."""
    loaded = load_config(against.config)
    if loaded.config is None:
        raise CkptActionError(*loaded.problems)
    models = {model.name: model for model in loaded.config.models}
    if against.model not in models:
        raise fail(
            ExitCode.USAGE,
            f"There is no model `{against.model}` in {against.config.name}.",
            hint=did_you_mean(against.model, models)
            or f"It has {', '.join(f'`{name}`' for name in models)}; code is named as "
            "`package.module:build`.",
            where=Where(file=against.config.as_posix()),
        )
    return Job(
        name=against.model,
        model=models[against.model],
        checkpoint=checkpoint,
        python_path=loaded.config.python_path,
        folder=loaded.config.folder,
    )

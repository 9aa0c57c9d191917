"""What the jobs of a plan need and this Python lacks: asked before the first of them begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import util

from ckpt_action.config.records import Model
from ckpt_action.config.wording import key_text
from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode, Problem, Where
from ckpt_action.plan import Plan
from ckpt_action.processes.environments import INSTALL, keras_is_2


def lacking(plan: Plan) -> tuple[Problem, ...]:
    """One problem that names all of it and what installs it; nothing is imported.

    Of models without a job too, after the others: what reads their checkpoints may be missing.
    """
    models = [job.model for job in plan.jobs]
    models += [model for model in plan.config.models if model.name in plan.without_job]
    needs = dict(reversed([need for model in models for need in _needs(model)]))
    missing = {
        module: extra
        for module, extra in INSTALL.items()
        if extra in needs and util.find_spec(module) is None
    }
    if not missing:
        return ()
    extras = sorted({*missing.values()})
    return (
        Problem(
            code=ExitCode.ENVIRONMENT,
            message=f"{_listed([*missing])} not installed in the Python that runs ckpt-action.",
            hint=f'Install what is missing: pip install "ckpt-action[{",".join(extras)}]"',
            where=Where(file=str(plan.config.file), key_path=needs[extras[-1]]),
        ),
    )


def _needs(model: Model) -> Iterator[tuple[str, str]]:
    """Extras, and the keys that ask for them; the first key of each counts."""
    table = f"models.{key_text(model.name)}"
    yield "tensorflow", table
    if model.keras == "2" and not keras_is_2():
        yield "keras-2", f"{table}.keras"
    for index, target in enumerate(model.targets):
        yield registry()[target.format].EXTRA, f"{table}.targets[{index}]"


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"

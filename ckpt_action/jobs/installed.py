"""What the jobs of a plan need and this Python lacks: asked before the first of them begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import util

from ckpt_action.engine.targets import registry
from ckpt_action.errors import ExitCode, Problem, Where
from ckpt_action.plan import Job, Plan
from ckpt_action.processes.environments import INSTALL, keras_is_2


def lacking(plan: Plan) -> tuple[Problem, ...]:
    """One problem that names all of it and what installs it; nothing is imported."""
    needs = dict(reversed([need for job in plan.jobs for need in _needs(job)]))
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


def _needs(job: Job) -> Iterator[tuple[str, str]]:
    """Extras, and the keys that ask for them; the first key of each counts."""
    model = f"models.{job.model.name}"
    yield "tensorflow", model
    if job.model.keras == "2" and not keras_is_2():
        yield "keras-2", f"{model}.keras"
    for index, target in enumerate(job.model.targets):
        yield registry()[target.format].EXTRA, f"{model}.targets[{index}]"


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"

"""One job in one environment after another, until a Keras is found that it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ckpt_action.errors import ExitCode, Problem, note
from ckpt_action.plan import Job
from ckpt_action.processes.environments import Environment, environments, title
from ckpt_action.processes.supervisor import Answer

_ANOTHER_KERAS_MAY_HELP = {
    ExitCode.REBUILD,
    ExitCode.SIGNATURE,  # a subclassed model makes its layers in its first call
    ExitCode.RESTORE,
    ExitCode.ENVIRONMENT,
}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of the tries."""

    environment: Environment
    """The last one."""
    result: Mapping[str, Any] | None
    problems: tuple[Problem, ...]
    """Of all failed tries: notes where a later one gave a result; labelled where they differ."""


def try_environments(job: Job, ask: Callable[[Environment], Answer]) -> Tried:
    """Try each environment until one gives a result, or fails in a way that another cannot help."""
    failed: list[tuple[Environment, tuple[Problem, ...]]] = []
    for environment in environments(job):
        answer = ask(environment)
        if answer.result is not None:
            notes = tuple(_fallback(*one) for one in failed)
            return Tried(environment=environment, result=answer.result, problems=notes)
        failed.append((environment, answer.problems))
        codes = {p.code for p in answer.problems if p.is_error}
        if not codes <= _ANOTHER_KERAS_MAY_HELP:
            break
    return Tried(environment=failed[-1][0], result=None, problems=_labelled(failed))


def _labelled(failed: list[tuple[Environment, tuple[Problem, ...]]]) -> tuple[Problem, ...]:
    """The problems of failed tries; where they are not the same, each says under which Keras."""
    first = failed[0][1]
    if all([p.message for p in problems] == [p.message for p in first] for _, problems in failed):
        return first
    return tuple(
        replace(problem, message=f"Under {title(environment)}: {problem.message}")
        for environment, problems in failed
        for problem in problems
    )


def _fallback(environment: Environment, problems: tuple[Problem, ...]) -> Problem:
    """That another Keras was tried first, for the report."""
    first = next(p for p in problems if p.is_error)
    return note(
        first.code,
        f"{title(environment)} was tried first and failed: {first.message}",
        details=tuple(str(problem) for problem in problems),
    )

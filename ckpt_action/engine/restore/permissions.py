"""`allow-missing` and `allow-unused`: what they allow, and when they allow all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.records import Attempt, LiveModel, LiveVariable, Value
from ckpt_action.errors import CkptActionError, ExitCode, Problem, warning

Names = Sequence[str]
"""What one variable or value may be called in a pattern."""


def allowed(patterns: Iterable[str], names: Names) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def names_of(value: Value) -> Names:
    return value.path, value.key


def names_of_live(variable: LiveVariable) -> Names:
    return variable.path, variable.attributes


def all_allowed(patterns: Iterable[str], values: Iterable[Value]) -> bool:
    """Whether each of `values`, all of a layer's, may stay unused."""
    return all(allowed(patterns, names_of(value)) for value in values)


def refuse_wide(attempt: Attempt, model: LiveModel, rules: Restore) -> None:
    """Raise RESTORE for patterns that match everything there is: they would let any model pass,
    and say nothing about what is missing from this one."""
    live = [names_of_live(v) for v in model.own()]
    used = [c.value for c in attempt.bound]
    stored = [names_of(v) for v in (*used, *attempt.unused, *attempt.unused_allowed)]
    problems = [
        *_wide("allow-missing", rules.allow_missing, live, "every variable of the model"),
        *_wide("allow-unused", rules.allow_unused, stored, "every value of the checkpoint"),
    ]
    if problems:
        raise CkptActionError(*problems)


def _wide(
    key: str, patterns: Iterable[str], everything: Sequence[Names], what: str
) -> Iterator[Problem]:
    for pattern in patterns:
        if everything and all(allowed([pattern], names) for names in everything):
            yield Problem(
                code=ExitCode.RESTORE,
                message=f"{pattern!r} in `{key}` matches {what}: with it any model would pass.",
                hint="List what may really stay apart, or choose a part with `root`.",
            )


def idle(attempt: Attempt, rules: Restore) -> tuple[Problem, ...]:
    """A warning for each pattern that nothing needed."""
    missing: list[Names] = [names_of_live(v) for v in attempt.missing_allowed]
    missing += [(place,) for place in attempt.unfilled_allowed]
    unused = [names_of(v) for v in attempt.unused_allowed]
    needed = (
        ("allow-missing", rules.allow_missing, missing),
        ("allow-unused", rules.allow_unused, unused),
    )
    return tuple(
        warning(
            ExitCode.RESTORE,
            f"{pattern!r} in `{key}` allows nothing: model and checkpoint agree without.",
            hint="Take it out, so that it hides no difference of tomorrow.",
        )
        for key, patterns, names in needed
        for pattern in patterns
        if not any(allowed([pattern], one) for one in names)
    )

"""Python values that change each time the model is called, as counters do.

Python does not run in an artifact: what such a value decides is there as it was in one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ckpt_action.engine.objects import Held
from ckpt_action.engine.some_of import some_of
from ckpt_action.engine.user_code import modules_of
from ckpt_action.errors import ExitCode, Problem, warning

_PLAIN = (bool, int, float, str)

State = Mapping[str, Any]
"""Where a value is kept, as the code names it, to the value."""


def plain_state(held: Held, sources: Sequence[Path]) -> State:
    """Numbers and text that the user's own objects, and modules, keep."""
    modules = modules_of(sources)
    state: dict[str, Any] = {}
    for path, item in held:
        if any(base.__module__ in modules for base in type(item).__mro__):
            state.update(_plain(path.replace("/", "."), getattr(item, "__dict__", {})))
    for name, module in modules.items():
        state.update(_plain(name, vars(module)))
    return state


def changed(first: State, second: State) -> tuple[str, ...]:
    """Of two calls with the same inputs: what the second one left otherwise than the first."""
    names = first.keys() | second.keys()
    return tuple(sorted(name for name in names if _is_other(first.get(name), second.get(name))))


def in_words(names: Sequence[str]) -> str:
    return f"each call changes {some_of(names, 3)}" if names else ""


def changes_state(names: Sequence[str]) -> Problem:
    return warning(
        ExitCode.REBUILD,
        f"each call of the model changes {some_of(names, 3)}, which Python keeps: the artifact "
        "computes what the model does at its first call, whatever it does later.",
        hint="Take it out of the method that the signature calls, or declare `verify.golden` with "
        "what the trained model computes.",
        details=names,
    )


def _plain(owner: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Also what is kept in a dict; `__name__` and the like change with nothing."""
    prefix = f"{owner}." if owner else ""
    for name, value in list(values.items()):
        if isinstance(value, _PLAIN):
            yield f"{prefix}{name}", value
        elif isinstance(value, dict):
            inside = ((key, one) for key, one in list(value.items()) if isinstance(one, _PLAIN))
            yield from ((f"{prefix}{name}[{key!r}]", one) for key, one in inside)


def _is_other(one: Any, other: Any) -> bool:
    """NaN is what it was."""
    return bool(one != other) and not (one != one and other != other)  # noqa: PLR0124

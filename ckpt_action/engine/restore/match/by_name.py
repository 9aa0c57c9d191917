"""Bind by variable name: TF1 checkpoints, which know nothing else.

A variable takes the value of its own name. Where there is none, a name scope may be too much or too
little on one side (`sequential/dense/kernel` and `dense/kernel`): one name is then the end of the
other, and of no second one. A graph out of a `.meta` has the names that were saved. `root` names
the scope that holds the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ckpt_action.checkpoint.records import Role
from ckpt_action.checkpoint.tf1_roles import optimizer_state
from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.match.attempt import judge
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Source,
    Value,
)
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import ExitCode, fail

_INTEGERS = ("int32", "int64")
_CELL = re.compile(r"/[a-z0-9_]+_cell(_\d+)?(?=/)")
"""The cell in `lstm/lstm_cell/kernel`, which the LSTM layer of TF1 did not have."""
_SHOWN = 10


def attempt_by_name(model: LiveModel, source: Source, rules: Restore) -> Attempt:
    """Lay the model over the values of the checkpoint, or of the scope that is its root."""
    scope = f"{rules.root}/" if rules.root else ""
    offered = _offered(source, scope)
    stored_names = _stored_names(model)
    exact = {v.path: tuple(_exact(v, offered, stored_names)) for v in model.own()}
    taken = {c.value.key for found in exact.values() for c in found}
    loose = {name: value for name, value in offered.items() if value.key not in taken}
    state = optimizer_state({name: value.shape for name, value in loose.items()})
    is_graph = _unread(model) is not None
    free = {} if is_graph else {n: value for n, value in loose.items() if n not in state}
    candidates = {v.path: exact[v.path] or tuple(_scoped(v, free)) for v in model.own()}
    values, ignored = _sorted(model, source, candidates, frozenset(offered.values()))
    attempt = judge(model, candidates, values, rules)
    scoped = [c for c in attempt.bound if not exact[c.variable.path]]
    return replace(
        attempt,
        route="variable names",
        root=rules.root or "",
        ignored=ignored,
        notes=(*_unread_note(model, source, taken), *_scope_note(scoped)),
    )


def _offered(source: Source, scope: str) -> Mapping[str, Value]:
    """The values below `scope`, by their names in it."""
    found = {
        key.removeprefix(scope): value
        for key, value in source.values.items()
        if key.startswith(scope) and value.dtype not in ("string", "variant", "resource")
    }
    if scope and not found:
        tops = sorted({key.split("/", 1)[0] for key in source.values if "/" in key})
        raise fail(
            ExitCode.RESTORE,
            f"The checkpoint knows variables by name, and no name begins with {scope!r}.",
            hint=f"Its scopes are {', '.join(tops[:_SHOWN])}." if tops else "It has no scopes.",
        )
    return found


def _exact(
    variable: LiveVariable, offered: Mapping[str, Value], stored_names: Mapping[str, str]
) -> Iterator[Candidate]:
    saved_as = stored_names.get(variable.path, "")
    for name in [saved_as] if saved_as in offered else variable.names:
        if name in offered:
            yield Candidate(variable=variable, value=offered[name], ordered=False)


def _scoped(variable: LiveVariable, offered: Mapping[str, Value]) -> Iterator[Candidate]:
    """Values whose name is the end of the variable's, or the other way round."""
    names = {name for known in variable.names for name in (known, _CELL.sub("", known))}
    for stored, value in offered.items():
        if any(f"/{a}".endswith(f"/{b}") for n in names for a, b in ((n, stored), (stored, n))):
            yield Candidate(variable=variable, value=value, ordered=False)


def _sorted(
    model: LiveModel,
    source: Source,
    candidates: Mapping[str, tuple[Candidate, ...]],
    inside: frozenset[Value],
) -> tuple[list[Value], Counter[Role]]:
    """What the model has to use, and how many values of which role it has not."""
    found = [c for several in candidates.values() for c in several]
    used = {c.value.key for c in found}
    trained = {c.value.key for c in found if c.variable.trainable}
    state = optimizer_state({k: v.shape for k, v in source.values.items()}, trained)
    unread = _unread(model) or frozenset()
    values, ignored = [], Counter[Role]()
    for value in source.values.values():
        role = Role.MODEL if value.key in used else _role(value, state)
        if role is Role.MODEL and value in inside and value.key not in unread:
            values.append(value)
        else:
            ignored[role] += 1
    return values, ignored


def _role(value: Value, state: frozenset[str]) -> Role:
    if value.dtype in ("string", "variant", "resource"):
        return Role.OTHER
    if value.key in state:
        return Role.OPTIMIZER
    counts = value.shape == () and value.dtype in _INTEGERS
    return Role.COUNTER if counts else Role.MODEL


def _unread(model: LiveModel) -> frozenset[str] | None:
    """A TF1 graph names the variables that no declared signature reads; None: is no such graph."""
    unread: frozenset[str] | None = getattr(model.root, "unread", None)
    stored_names = _stored_names(model)
    return None if unread is None else frozenset(stored_names.get(n, n) for n in unread)


def _stored_names(model: LiveModel) -> Mapping[str, str]:
    """A TF1 graph knows which of its variables its Saver stores under another name."""
    names: Mapping[str, str] = getattr(model.root, "stored_names", {})
    return names


def _unread_note(model: LiveModel, source: Source, used: set[str]) -> Iterator[str]:
    names = sorted(((_unread(model) or frozenset()) & source.values.keys()) - used)
    if names:
        yield f"{len(names)} variables of the graph are read by no declared signature: " + _shown(
            names
        )


def _scope_note(scoped: Sequence[Candidate]) -> Iterator[str]:
    if scoped:
        names = [f"{c.value.key} for {c.variable.path}" for c in scoped]
        yield f"{len(scoped)} names agree but for a scope: {_shown(names)}"


def _shown(names: Sequence[str]) -> str:
    return some_of(names, _SHOWN)

"""Bind by variable name: TF1 checkpoints, which know nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ckpt_action.checkpoint.records import Role
from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.attempt import judge
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Source,
    Value,
)

_INTEGERS = ("int32", "int64")
_ADAM_POWERS = ("beta1_power", "beta2_power")
_SHOWN = 10


def attempt_by_name(model: LiveModel, source: Source, rules: Restore) -> Attempt:
    """Each variable takes the value of its own name, nothing else: a scope too much or too little
    is a difference that the user has to see."""
    candidates = {v.path: tuple(_candidates(v, source)) for v in model.own()}
    used = {c.value.key for found in candidates.values() for c in found}
    ignored: Counter[Role] = Counter()
    values = []
    # A TF1 graph names the variables that no declared signature reads.
    unread: frozenset[str] = getattr(model.root, "unread", frozenset())
    for value in source.values.values():
        role = _role(value, source, used)
        if role is Role.MODEL and value.key not in unread:
            values.append(value)
        else:
            ignored[role] += 1
    attempt = judge(model, candidates, values, rules)
    aside = sorted((unread & source.values.keys()) - used)
    return replace(
        attempt, route="variable names", ignored=ignored, notes=tuple(_unread_note(aside))
    )


def _unread_note(names: Sequence[str]) -> Iterator[str]:
    if names:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        yield f"{len(names)} variables of the graph are read by no declared signature: {shown}"


def _candidates(variable: LiveVariable, source: Source) -> Iterator[Candidate]:
    for name in variable.names:
        if name in source.values:
            yield Candidate(variable=variable, value=source.values[name], ordered=False)


def _role(value: Value, source: Source, used: set[str]) -> Role:
    """Slots are stored as `<variable>/<slot>` in the variable's shape (tf.train.Saver)."""
    if value.key in used:
        return Role.MODEL
    if value.dtype in ("string", "variant", "resource"):
        return Role.OTHER
    owner = value.key.rpartition("/")[0]
    if owner in source.values and source.values[owner].shape == value.shape:
        return Role.OPTIMIZER
    if value.shape == () and value.key.rpartition("/")[2] in _ADAM_POWERS:
        return Role.OPTIMIZER
    counts = value.shape == () and value.dtype in _INTEGERS
    return Role.COUNTER if counts else Role.MODEL

"""The values of a restored model in the same model made once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.engine.objects import reachable_resources
from ckpt_action.engine.rebuild.creation import Repetition
from ckpt_action.engine.records import ModelVariable, Rebuilt, Restored
from ckpt_action.engine.restore.finish import finish
from ckpt_action.engine.restore.model_variables import live_model
from ckpt_action.engine.restore.vocabularies import restore_vocabularies
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail


class MadeOtherwise(CkptActionError):  # noqa: N818  it is one
    """The code makes another model where its variables hold the restored values."""


def give_values(
    restored: Restored, twin: Rebuilt, began: Repetition, checkpoint: CheckpointFiles
) -> Mapping[int, int]:
    """Bring `twin` to the state of `restored`; returns which handle stands for which.

    Identities of handles of variables and tables, the restored model's first. Raises
    MadeOtherwise, or CkptActionError (REBUILD) where the two cannot be compared.
    """
    model = live_model(twin)
    pairs = _paired(restored, [v.variable for v in model.variables])
    state = set(restored.binding.state)
    for one, two in pairs:
        if one.path not in state:
            _check_beginning(one, began.counterpart(two))
    for one, two in pairs:
        if not _shared(one.variable, two):
            two.assign(one.variable.read_value())
    restore_vocabularies(model, checkpoint)
    finish(model)
    same = {id(one.variable.handle): id(two.handle) for one, two in pairs}
    return same | _same_tables(restored.rebuilt.model, twin.model)


def _check_beginning(variable: ModelVariable, earlier: Any | None) -> None:
    """Code that found another value when it made the variable may have kept that."""
    if earlier is None:
        raise fail(
            ExitCode.REBUILD,
            f"variable {variable.path} could not begin with its restored value, for the code makes "
            "it inside a function, or makes other variables each time.",
        )
    if earlier is not variable.variable:
        raise fail(
            ExitCode.REBUILD, f"the code makes its variables in another order ({variable.path})."
        )


def _paired(restored: Restored, again: Sequence[Any]) -> list[tuple[ModelVariable, Any]]:
    own = {id(v.variable) for v in restored.variables}
    if any(id(variable) in own for variable in again):
        raise fail(ExitCode.REBUILD, "the code hands out the same variables a second time.")
    kinds = [
        [(variable.dtype.name, variable.shape.as_list()) for variable in model]
        for model in ([v.variable for v in restored.variables], again)
    ]
    if kinds[0] != kinds[1]:
        raise MadeOtherwise(_made_otherwise(len(kinds[0]), len(kinds[1])))
    return list(zip(restored.variables, again, strict=True))


def _made_otherwise(first: int, second: int) -> Problem:
    return Problem(
        code=ExitCode.REBUILD,
        message="the code makes another model where its variables hold the restored values from "
        f"the start: {second} variables instead of {first}, or of other shapes. So it decides by "
        "initial values, or by chance, what it makes.",
        hint="Decide by arguments of the entry point instead.",
    )


def _shared(one: Any, two: Any) -> bool:
    """Whether both have one memory, as they do after the second began with the first one's."""
    if one.dtype == tf.string:
        return False
    left, right = (np.asarray(v.read_value()).__array_interface__["data"] for v in (one, two))
    return bool(left == right)


def _same_tables(first: Any, second: Any) -> dict[int, int]:
    """Handles of tables that were shown to hold the same.

    Several objects may have one handle, a table inside of another one, and not all of them tell
    what it holds: one has to, and none may differ.
    """
    same: dict[int, int] = {}
    different = set()
    for table, other in _tables(first, second):
        _fill(other, table)
        ours, theirs = id(table.resource_handle), id(other.resource_handle)
        held, found = _content(table), _content(other)
        if held != found or same.get(ours, theirs) != theirs:
            different.add(ours)
        elif held is not None:
            same[ours] = theirs
    return {ours: theirs for ours, theirs in same.items() if ours not in different}


def _tables(first: Any, second: Any) -> Iterator[tuple[Any, Any]]:
    ours, theirs = ([t for _, t in reachable_resources(model)] for model in (first, second))
    yield from zip(ours, theirs, strict=False)


def _fill(table: Any, source: Any) -> None:
    """A table that grows while it is used has what the checkpoint put into it."""
    if hasattr(table, "insert") and hasattr(source, "export"):
        table.insert(*source.export())


def _content(table: Any) -> list[str] | None:
    """Every key with its value; None of tables that do not tell."""
    if not hasattr(table, "export"):
        return None
    keys, values = (np.asarray(part) for part in table.export())
    return sorted(map(repr, zip(keys.tolist(), values.tolist(), strict=True)))

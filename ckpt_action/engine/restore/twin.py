"""The values of a restored model in the same model made once more."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.engine.creation import Repetition
from ckpt_action.engine.objects import reachable_resources
from ckpt_action.engine.rebuild.zero_pages import address_of
from ckpt_action.engine.records import ModelVariable, Rebuilt, Restored
from ckpt_action.engine.restore.model.finish import finish, layers_among
from ckpt_action.engine.restore.model.lookup_tables import content, is_table, replace_content
from ckpt_action.engine.restore.model.variables import live_model
from ckpt_action.engine.restore.records import LiveModel
from ckpt_action.engine.restore.tables.vocabularies import restore_vocabularies
from ckpt_action.engine.restore.tables.words import copy_words
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
    return _given(restored, model, pairs, checkpoint)


def give_values_by_key(
    restored: Restored, other: Rebuilt, checkpoint: CheckpointFiles
) -> Mapping[int, int]:
    """As `give_values`, of a model whose code may have made its variables in another order: which
    one has which value is asked of the checkpoint. Raises CkptActionError (RESTORE) where that
    refuses it."""
    model = live_model(other)
    if restored.bound_again:
        wanted = restored.bound_again(other)
    else:
        wanted = tuple(ModelVariable(path=v.path, variable=v.variable) for v in model.variables)
    waiting: dict[str, deque[ModelVariable]] = defaultdict(deque)
    for one in restored.variables:
        waiting[_key(restored, one)].append(one)
    found = [(waiting[key], v.variable) for v in wanted if waiting[key := _key(restored, v)]]
    return _given(restored, model, [(ones.popleft(), v) for ones, v in found], checkpoint)


def _key(restored: Restored, variable: ModelVariable) -> str:
    return (variable.source if restored.bound_again else "") or f"path {variable.path}"


def _given(
    restored: Restored,
    model: LiveModel,
    pairs: Sequence[tuple[ModelVariable, Any]],
    checkpoint: CheckpointFiles,
) -> Mapping[int, int]:
    for one, two in pairs:
        if not _shared(one.variable, two):
            two.assign(one.variable.read_value())
    layers = layers_among(model.held)
    copy_words(layers_among(restored.rebuilt.held), layers, restored.lookups)
    restore_vocabularies(model, layers, checkpoint)
    finish(layers)
    same = {id(one.variable.handle): id(two.handle) for one, two in pairs}
    return same | _same_tables(restored, model.root)


def _check_beginning(variable: ModelVariable, earlier: Any | None) -> None:
    """Code that found another value when it made the variable may have kept that."""
    if earlier is None:
        raise fail(
            ExitCode.REBUILD,
            f"variable {variable.path} could not begin with its restored value, for the code makes "
            "it inside a function or another thread, or makes other variables each time.",
            hint="Make every variable where the entry point makes the model; a layer of Keras 2 by "
            "`layer.build(shape)` before `adapt`.",
        )
    if earlier is not variable.variable:
        raise fail(
            ExitCode.REBUILD,
            f"the code makes its variables in another order ({variable.path}).",
            hint="Make them in a fixed order: the order of a set changes.",
        )


def _paired(restored: Restored, again: Sequence[Any]) -> list[tuple[ModelVariable, Any]]:
    own = {id(v.variable) for v in restored.variables}
    if any(id(variable) in own for variable in again):
        raise fail(
            ExitCode.REBUILD,
            "the code hands out the same variables a second time.",
            hint="Let the entry point make a new model at each call.",
        )
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
    return address_of(one) == address_of(two)


def _same_tables(restored: Restored, second: Any) -> dict[int, int]:
    """Handles of tables that were shown to hold the same.

    Several objects may have one handle, a table inside of another one, and not all of them tell
    what it holds: one has to, and none may differ.
    """
    same: dict[int, int] = {}
    different = set()
    filled = {id(table) for table in restored.tables}
    for table, other in _tables(restored.rebuilt.model, second):
        if id(table) in filled:
            replace_content(other, *table.export())
        ours, theirs = id(table.resource_handle), id(other.resource_handle)
        held, found = (content(one) if is_table(one) else None for one in (table, other))
        if held != found or same.get(ours, theirs) != theirs:
            different.add(ours)
        elif held is not None:
            same[ours] = theirs
    return {ours: theirs for ours, theirs in same.items() if ours not in different}


def _tables(first: Any, second: Any) -> Iterator[tuple[Any, Any]]:
    if ours := reachable_resources(first):
        for (_, table), (_, other) in zip(ours, reachable_resources(second), strict=False):
            yield table, other

"""Layers of the user's own that read their variables out of Keras' files themselves.

Keras calls their `load_own_variables` with what the file holds for them; it may transpose, scale or
rename. The binding knows nothing of that, so what the method gives has to be what was bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ckpt_action.checkpoint.records import Kind
from ckpt_action.engine.arrays import Array, digest, to_array
from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.records import Candidate, Source
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail

_KERAS_OWN_FILES = frozenset({Kind.KERAS_ARCHIVE, Kind.KERAS_WEIGHTS, Kind.KERAS_WEIGHTS_EARLY})
_METHOD = "load_own_variables"


@dataclass(frozen=True, kw_only=True)
class OwnLoad:
    """What a layer's own code made of the values in the file."""

    layer: Any
    given: tuple[tuple[Candidate, Array], ...]


def overrides(layer: Any, method: str) -> bool:
    """Whether code that is not of Keras defines `method` of the layer."""
    if method in vars(layer):
        return True
    kind = next((k for k in type(layer).__mro__ if method in vars(k)), None)
    return kind is not None and kind.__module__.split(".")[0] not in ("keras", "tf_keras")


def load_by_own_code(
    layers: Iterable[Any], bound: Sequence[Candidate], source: Source, kind: Kind
) -> list[OwnLoad]:
    """Run each such method, before the variables are filled: what else it assigns to is then
    overwritten, as Keras overwrites it. Raises RESTORE where one fails."""
    if kind not in _KERAS_OWN_FILES:
        return []
    by_variable = {id(candidate.variable.variable): candidate for candidate in bound}
    own = (layer for layer in layers if overrides(layer, _METHOD))
    return [_loaded(layer, list(_bound(layer, by_variable)), source) for layer in own]


def refuse_other_values(loads: Iterable[OwnLoad]) -> None:
    """Raise RESTORE where a variable holds something else now that it is filled from the file."""
    problems = [
        _differ(load.layer, candidate)
        for load in loads
        for candidate, array in load.given
        if digest(array) != digest(to_array(candidate.variable.variable))
    ]
    if problems:
        raise CkptActionError(*problems)


def _bound(layer: Any, by_variable: dict[int, Candidate]) -> Iterator[Candidate]:
    lists = ("_trainable_variables", "_non_trainable_variables")
    if not hasattr(layer, lists[0]):
        lists = ("_trainable_weights", "_non_trainable_weights")
    for held in (*getattr(layer, lists[0]), *getattr(layer, lists[1])):
        candidate = by_variable.get(id(raw_variable(held)))
        if candidate is not None:
            yield candidate


def _loaded(layer: Any, bound: list[Candidate], source: Source) -> OwnLoad:
    if not bound:
        return OwnLoad(layer=layer, given=())
    store = {c.value.path.rpartition("/")[2]: source.read(c.value.key) for c in bound}
    try:
        getattr(layer, _METHOD)(store)
    except Exception as error:
        raise fail(
            ExitCode.RESTORE,
            f"`{_METHOD}` of {called(layer)} failed on what the file holds for it "
            f"({', '.join(store)}): {type(error).__name__}: {error}",
            hint="The code does not read this file; use the code that wrote it.",
        ) from error
    held = [(c, np.array(to_array(c.variable.variable))) for c in bound]
    return OwnLoad(layer=layer, given=tuple(held))


def _differ(layer: Any, candidate: Candidate) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        message=f"`{_METHOD}` of {called(layer)} makes another value of {candidate.value.path} "
        f"than the file holds, for {candidate.variable.path}. ckpt-action takes values as they are "
        "stored, and proves them so.",
        hint="Load the file by that code once (`model.load_weights(...)` or `load_model`), write "
        "`tf.train.Checkpoint(model=model).write(...)`, which holds what the variables do, and "
        "export that.",
    )


def called(layer: Any) -> str:
    """In a message, with its class."""
    return f"the layer {layer.name} ({type(layer).__module__}.{type(layer).__qualname__})"

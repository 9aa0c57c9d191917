"""Weights that went into constants before the checkpoint was restored.

A model that reads a variable in its constructor, or caches something at its first call, goes on
computing with the initial value. Every variable is restored, and the outputs are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.objects import reachable_variables, walk
from ckpt_action.engine.rebuild.initial import Initial, Mark, mark_of
from ckpt_action.engine.records import ModelVariable, Restored
from ckpt_action.errors import ExitCode, Problem, Severity

_SHOWN = 5


def unread_variables(restored: Restored, read: frozenset[int]) -> tuple[ModelVariable, ...]:
    """Restored variables without those in `read` (identities) and those of layers that derive
    constants from their variables anew after a restore, as preprocessing layers of Keras do."""
    derived = {
        id(variable)
        for _, item in walk(restored.rebuilt.model)
        if _derives(item)
        for _, variable in reachable_variables(item)
    }
    aside = set(restored.binding.state)
    return tuple(
        v
        for v in restored.variables
        if v.source and id(v.variable) not in read | derived and v.path not in aside
    )


def _derives(item: Any) -> bool:
    """Keras 2 gives every layer a `finalize_state`, which does nothing unless it is overridden."""
    owner = next((k for k in type(item).__mro__ if "finalize_state" in vars(k)), None)
    return owner is not None and owner.__name__ != "Layer"


def unread_warning(unread: Sequence[ModelVariable]) -> tuple[Problem, ...]:
    if not unread:
        return ()
    paths = [v.path for v in unread]
    shown = ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
    return (
        Problem(
            code=ExitCode.SIGNATURE,
            severity=Severity.WARNING,
            message=f"No signature reads {shown}: restored, and nothing depends on "
            f"{'its value' if len(paths) == 1 else 'their values'}.",
            hint="Each belongs to a part that the signatures do not use, or it was copied into a "
            "constant when the model was built; then read it in the method itself.",
            details=tuple(paths),
        ),
    )


def copied_values(
    restored: Restored,
    signature: str,
    graph: Any,
    unread: Sequence[ModelVariable],
    initial: Initial,
) -> tuple[Problem, ...]:
    """Errors: a constant in `graph` is the initial value of a variable, or it has the shape of a
    matrix that is `unread`, and is not its restored value."""
    marks = {initial[id(v.variable)]: v for v in restored.variables if id(v.variable) in initial}
    shapes = {tuple(v.variable.shape): v for v in unread if _is_matrix(v)}
    sizes = {mark.size for mark in marks} | {int(np.prod(shape)) for shape in shapes}
    problems: dict[str, Problem] = {}
    for constant in _constants(graph, sizes):
        mark = mark_of(constant)
        variable = marks.get(mark) if mark else None
        if variable is not None and not _holds(variable, mark):
            problems[variable.path] = _copied(signature, variable)
        variable = shapes.get(constant.shape) if mark else None
        if variable is not None and not _holds(variable, mark):
            problems.setdefault(variable.path, _unread_copy(signature, variable, constant))
    return tuple(problems.values())


def _is_matrix(variable: ModelVariable) -> bool:
    """With fewer dimensions, equal shapes are too often a coincidence."""
    return bool(variable.variable.dtype.is_floating) and len(variable.variable.shape) > 1


def _holds(variable: ModelVariable, mark: Mark | None) -> bool:
    """Whether the restored value has this mark: a copy of it is right."""
    return mark_of(np.asarray(variable.variable.read_value())) == mark


def _constants(graph: Any, sizes: set[int]) -> Iterator[Array]:
    """Floating-point constants with one of `sizes` elements, in nested functions too."""
    for outer, _ in graph.captures:
        if outer.dtype.is_floating and outer.shape.num_elements() in sizes:
            yield np.asarray(outer)
    definition = graph.as_graph_def()
    bodies = [definition.node, *(f.node_def for f in definition.library.function)]
    for node in (node for body in bodies for node in body if node.op == "Const"):
        proto = node.attr["value"].tensor
        size = int(np.prod([d.size for d in proto.tensor_shape.dim], dtype=np.int64))
        if tf.as_dtype(proto.dtype).is_floating and size in sizes:
            yield tf.make_ndarray(proto)


def _copied(signature: str, variable: ModelVariable) -> Problem:
    return Problem(
        code=ExitCode.SIGNATURE,
        message=f"signature {signature} holds the initial value of {variable.path} as a constant: "
        "the model copied it before the checkpoint was restored.",
        hint="Read the variable in the method itself, not in the constructor, and keep no copy.",
    )


def _unread_copy(signature: str, variable: ModelVariable, constant: Array) -> Problem:
    return Problem(
        code=ExitCode.SIGNATURE,
        message=f"signature {signature} holds a constant {constant.dtype}{list(constant.shape)}, "
        f"while no signature reads {variable.path} of the same shape: the model seems to compute "
        "with a copy of its initial value.",
        hint="Read the variable in the method itself, not in the constructor, and keep no copy.",
    )

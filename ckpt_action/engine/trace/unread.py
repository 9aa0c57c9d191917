"""Restored variables that reach no output."""

from __future__ import annotations

from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.records import Rebuilt, Restored
from ckpt_action.engine.some_of import some_of
from ckpt_action.errors import ExitCode, Problem, warning


def unread_variables(restored: Restored, read: frozenset[int]) -> tuple[Problem, ...]:
    """What is wrong where restored variables are not in `read` (identities): a warning; an error
    where none of them is, for then the artifact would not hold the model.

    Those of layers that derive constants from their variables anew after a restore, as
    preprocessing layers of Keras do, count as read.
    """
    aside = set(restored.binding.state)
    filled = [v for v in restored.variables if v.source and v.path not in aside]
    unread = [v for v in filled if id(v.variable) not in read]
    if unread:
        derived = derived_variables(restored.rebuilt)
        unread = [v for v in unread if id(v.variable) not in derived]
    if not unread:
        return ()
    paths = [v.path for v in unread]
    if len(unread) == len(filled):
        return (_nothing_read(paths),)
    return (
        warning(
            ExitCode.SIGNATURE,
            f"No signature reads {some_of(paths)}: restored, and nothing depends on "
            f"{'its value' if len(paths) == 1 else 'their values'}.",
            hint="Each belongs to a part of the model that the signatures do not use.",
            details=tuple(paths),
        ),
    )


def _nothing_read(paths: list[str]) -> Problem:
    return Problem(
        code=ExitCode.SIGNATURE,
        message=f"no signature reads any restored variable ({some_of(paths)}): the outputs do not "
        "depend on the checkpoint.",
        hint="Name the `method` that computes with the weights, and read the variables in it.",
        details=tuple(paths),
    )


def derived_variables(rebuilt: Rebuilt) -> set[int]:
    """Identities of variables of layers that hold constants made from them."""
    return {
        id(variable)
        for _, item in rebuilt.held
        if _derives(item)
        for _, variable in reachable_variables(item)
    }


def _derives(item: object) -> bool:
    """Keras 2 gives every layer a `finalize_state`, which does nothing unless it is overridden."""
    owner = next((k for k in type(item).__mro__ if "finalize_state" in vars(k)), None)
    return owner is not None and owner.__name__ != "Layer"

"""Whether the model is the same where the code is given sets, and lists of files, in another order.

Layers that are made in the order of a set get each other's weights, where no name in the checkpoint
tells them apart; both builds of one process have the same order, and comparing them shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.engine.order.other_order import Orders
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.records import OtherTrace, Restored, TracedModel, TracedSignature
from ckpt_action.engine.restore.twin import give_values_by_key
from ckpt_action.engine.some_of import some_of
from ckpt_action.engine.trace.concrete import concrete_function
from ckpt_action.engine.trace.retrace import difference
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Where, warning

_HINT = (
    "Python orders a set of text otherwise in each process, and each file system its files: write "
    "the order of the training into the code, or give each layer the name that it had, by which "
    "the checkpoint tells; `sorted(…)` where training sorted too. Or declare `verify.golden`."
)


def in_another_order(
    model: TracedModel, restored: Restored, checkpoint: CheckpointFiles
) -> TracedModel:
    """`model` with what a build in another order gives, where its code may ask for an order.

    An order that the checkpoint refuses is one that it decides.
    """
    again = restored.rebuilt.again
    orders = Orders(restored.rebuilt.sources)
    if again is None or model.untwinned or not orders.asked():
        return model
    with orders.turned() as places:
        try:
            other = again().rebuilt
            same = give_values_by_key(restored, other, checkpoint)
            functions = [concrete_function(other, one.declared) for one in model.signatures]
        except Exception as error:  # anything may come out of code that runs again
            if out_of_memory(error):
                raise
            if not places or _decided(error):
                return model
            why, _, _ = describe_error(error, restored.rebuilt.sources)
            return replace(
                model,
                untwinned=f"{_in_words(places)}, and with another one: {why}",
                problems=(*model.problems, _fails(places, why)),
            )
    if not places:
        return model
    compared = zip(model.signatures, functions, strict=True)
    return replace(model, signatures=tuple(_beside(one, f, same, places) for one, f in compared))


def _beside(
    one: TracedSignature, function: Any, same: Mapping[int, int], places: Sequence[Where]
) -> TracedSignature:
    if difference(one.function, function, same) is None:
        return one
    other = OtherTrace(function=function, difference=_in_words(places), places=tuple(places))
    return replace(one, turned=other)


def _decided(error: Exception) -> bool:
    return isinstance(error, CkptActionError) and all(
        problem.code is ExitCode.RESTORE for problem in error.problems
    )


def _in_words(places: Sequence[Where]) -> str:
    shown = some_of((f"{Path(place.file).name}:{place.line}" for place in places), 3)
    return f"the code takes the order of a set, or of the files in a folder ({shown})"


def order_decides(signature: str, turned: OtherTrace) -> Problem:
    """The warning where outputs are other ones then."""
    return warning(
        ExitCode.VERIFY,
        f"signature {signature} depends on an order that changes: {turned.difference}, and of "
        "another one comes a model with other outputs.",
        where=turned.places[0],
        hint=_HINT,
        details=tuple(map(str, turned.places)),
    )


def _fails(places: Sequence[Where], why: str) -> Problem:
    return warning(
        ExitCode.REBUILD,
        f"{_in_words(places)}, and makes no model of another one: {why}",
        where=places[0],
        hint=_HINT,
    )

"""Whether anything but the checkpoint reaches the outputs: the model is made a second time.

While the code runs again, every variable holds its restored value from the moment that it exists.
What the code reads, copies, caches or decides by then is right. Where the first model has another
graph than this twin, it keeps something that was never restored, or that differs from run to run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.exhausted import out_of_memory
from ckpt_action.engine.objects import walk
from ckpt_action.engine.rebuild.user_code import describe_error
from ckpt_action.engine.records import Restored, Twin
from ckpt_action.engine.restore.twin import MadeOtherwise, give_values
from ckpt_action.engine.trace.retrace import Difference
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity

NO_CODE = "no code makes the model"


def make_twin(restored: Restored, checkpoint: CheckpointFiles) -> Twin | str:
    """The twin, or why there is none; raises CkptActionError (REBUILD) where the code makes
    another model than the first time."""
    if restored.rebuilt.again is None:
        return NO_CODE
    try:
        twin, began = restored.rebuilt.again()
        return Twin(rebuilt=twin, same=give_values(restored, twin, began, checkpoint))
    except MadeOtherwise:
        raise
    except Exception as error:  # anything may come out of code that runs again
        if out_of_memory(error):
            raise
        if isinstance(error, CkptActionError):
            return error.problems[0].message
        return describe_error(error, restored.rebuilt.sources)[0]


def untwinned(why: str) -> Problem:
    """The warning where there is nothing to compare the model with."""
    return Problem(
        code=ExitCode.REBUILD,
        severity=Severity.WARNING,
        message="it could not be shown that nothing but the checkpoint reaches the outputs, for "
        f"the model could not be made a second time in one process: {why}",
        hint="Let the entry point make a new model at each call; or declare `verify.golden`.",
    )


def in_words(difference: Difference, model: Any) -> str:
    """`difference` as what a person can look for in the code."""
    constant = difference.constant
    if constant is None:
        return f"the operation {difference.node or 'at the end'} is another one"
    scalar = constant.shape == () and constant.dtype.kind in "fiu"
    shown = f"{constant.item():.6g}" if scalar else f"{constant.dtype}{list(constant.shape)}"
    attribute = _attribute(model, constant)
    place = f"the model's attribute `{attribute}`" if attribute else difference.node
    return f"the constant {shown} ({place}) has another value"


def _attribute(model: Any, constant: Array) -> str:
    """The path of the attribute that has this value; empty where there is none, or several."""
    found = {
        f"{path}/{name}".strip("/").replace("/", ".")
        for path, item in walk(model)
        for name, value in getattr(item, "__dict__", {}).items()
        if _is_it(value, constant)
    }
    return found.pop() if len(found) == 1 else ""


def _is_it(value: Any, constant: Array) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.ndarray, tf.Tensor)):
        return False
    if isinstance(value, tf.Tensor) and (
        tf.is_symbolic_tensor(value) or value.dtype in (tf.resource, tf.variant)
    ):
        return False
    array = np.asarray(value)
    if array.shape != constant.shape or array.dtype.kind not in "fiu":
        return False
    return bool(np.array_equal(array.astype(constant.dtype), constant))

"""Whether anything but the checkpoint reaches the outputs: the model is made a second time.

While the code runs again, every variable holds its restored value from the moment that it exists.
What the code reads, copies, caches or decides by then is right. Where the first model has another
graph than this twin, it keeps something that was never restored, or that differs from run to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.checkpoint.records import CheckpointFiles
from ckpt_action.engine.arrays import Array, shared_array
from ckpt_action.engine.keras_versions import keras_family
from ckpt_action.engine.objects import walk
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.records import Restored, Twin
from ckpt_action.engine.restore.twin import MadeOtherwise, give_values
from ckpt_action.engine.trace.retrace import Difference
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, Problem, warning

NO_CODE = "no code makes the model"


def make_twin(restored: Restored, checkpoint: CheckpointFiles) -> Twin | str:
    """The twin, or why there is none; raises CkptActionError (REBUILD) where the code makes
    another model than the first time."""
    if restored.rebuilt.again is None:
        return NO_CODE
    try:
        made = restored.rebuilt.again()
        same = give_values(restored, made.rebuilt, made.began, checkpoint)
        return Twin(rebuilt=made.rebuilt, same=same, leftovers=made.leftovers)
    except MadeOtherwise:
        raise
    except Exception as error:  # anything may come out of code that runs again
        if out_of_memory(error):
            raise
        if isinstance(error, CkptActionError):
            return " ".join(filter(None, (error.problems[0].message, error.problems[0].hint)))
        return describe_error(error, restored.rebuilt.sources)[0]


def untwinned(why: str) -> Problem:
    """The warning where there is nothing to compare the model with."""
    return warning(
        ExitCode.REBUILD,
        "Whether the outputs depend on the checkpoint alone could not be checked: making "
        f"the model a second time failed: {why}",
        hint="Let the entry point make a new model at each call; or declare `verify.golden`.",
    )


def handed_on(leftovers: Sequence[Path]) -> str:
    """Why two equal models show nothing; empty where they shared no file."""
    names = ", ".join(path.name for path in leftovers[:3]) + (", …" if leftovers[3:] else "")
    return f"the code reads {names}, which it made in this run" if names else ""


def shares(why: str) -> Problem:
    """The warning where the model was made twice and has something from the first time."""
    return warning(
        ExitCode.REBUILD,
        "Whether the outputs depend on the checkpoint alone could not be checked: "
        f"{why}, and what is in it may come from initial values, or from chance.",
        hint="Commit the file, if training used the same; else keep what it holds in a variable "
        "that the checkpoint has. Or declare `verify.golden`.",
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
        f"{_place(path, item)}/{name}".strip("/").replace("/", ".")
        for path, item in walk(model)
        for name, value in getattr(item, "__dict__", {}).items()
        if _is_it(value, constant)
    }
    return found.pop() if len(found) == 1 else ""


def _place(path: str, item: Any) -> str:
    """A layer in a list that Keras keeps for itself is known by its name."""
    return str(item.name) if path.startswith("_") and keras_family(item) else path


def _is_it(value: Any, constant: Array) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.ndarray, tf.Tensor)):
        return False
    if isinstance(value, tf.Tensor) and (
        tf.is_symbolic_tensor(value) or value.dtype in (tf.resource, tf.variant)
    ):
        return False
    array = shared_array(value) if isinstance(value, tf.Tensor) else np.asarray(value)
    if array.shape != constant.shape or array.dtype.kind not in "fiu":
        return False
    return bool(np.array_equal(array.astype(constant.dtype), constant))

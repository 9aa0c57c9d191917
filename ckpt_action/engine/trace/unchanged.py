"""Restored values stay what the checkpoint says while the model's code runs once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from ckpt_action.engine.records import Restored
from ckpt_action.errors import ExitCode, fail


@contextmanager
def values_stay(restored: Restored) -> Iterator[None]:
    """Raise CkptActionError (SIGNATURE) where a restored variable has another value at the end.

    The values are held, not copied: a variable that is written to gets memory of its own.
    """
    state = set(restored.binding.state)
    before = [
        (v, v.variable.read_value()) for v in restored.variables if v.source and v.path not in state
    ]
    yield
    changed = [v.path for v, value in before if not _same(value, v.variable.read_value())]
    if changed:
        raise fail(
            ExitCode.SIGNATURE,
            f"the model's code wrote {', '.join(changed[:5])} while it was traced: the value is no "
            "longer the checkpoint's.",
            hint="Take `assign` and `tf.init_scope` out of the method; a constraint on weights "
            "belongs to training.",
            details=changed,
        )


def _same(old: tf.Tensor, new: tf.Tensor) -> bool:
    left, right = np.asarray(old), np.asarray(new)
    if left.dtype == object or left.size == 0:
        return bool(np.array_equal(left, right))
    if left.__array_interface__["data"] == right.__array_interface__["data"]:
        return True
    return left.tobytes() == right.tobytes()

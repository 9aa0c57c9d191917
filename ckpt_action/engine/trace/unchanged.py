"""Restored values stay what the checkpoint says while the model's code runs once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ckpt_action.engine.arrays import same_value
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
    changed = [v.path for v, value in before if not same_value(value, v.variable.read_value())]
    if changed:
        raise fail(
            ExitCode.SIGNATURE,
            f"the model's code wrote {', '.join(changed[:5])} while it was traced: the value is no "
            "longer the checkpoint's.",
            hint="Take `assign` and `tf.init_scope` out of the method; a constraint on weights "
            "belongs to training.",
            details=changed,
        )

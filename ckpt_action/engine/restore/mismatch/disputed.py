"""Values that may be those of another network as the cause of a failed restore."""

from __future__ import annotations

from ckpt_action.engine.restore.mismatch.evidence import Cause, Evidence
from ckpt_action.engine.some_of import some_of

_SAVE_AGAIN = (
    "Nothing in this file can tell. Save again from the training program with "
    "model.save_weights('x.weights.h5'), or hold the layers as attributes, which "
    "tf.train.Checkpoint sees"
)


def disputed(evidence: Evidence) -> Cause | None:
    """Variables that lack a value, while an optimizer holds some that nobody can assign."""
    best = evidence.best
    if not best.disputed or not best.missing:
        return None
    one = best.disputed[0]
    held = (
        f"The optimizer {one.optimizer!r} holds {len(one.values)} values that it trained and that "
        "hang nowhere else: Keras 3 does not save what lies in lists, tuples and dicts as part of "
        "the model."
    )
    if one.names is not None:
        recorded, path = one.names
        return Cause(
            f"{held} It recorded {recorded!r} where the model has {path!r}, so that it trained "
            "another network, or the names have changed since.",
            f"If they have, give models and layers the names of the training. {_SAVE_AGAIN}.",
        )
    owners = some_of(map(repr, one.owners))
    whose = f"{owners} as well" if best.root else f"any of {owners}"
    return Cause(
        f"{held} They may be those of {whose}.",
        f"{_SAVE_AGAIN}; or save this model and its optimizer in a checkpoint of their own.",
    )

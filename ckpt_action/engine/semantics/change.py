"""One thing that a layer or a function computes differently in the other Keras."""

from __future__ import annotations

from dataclasses import dataclass

from ckpt_action.errors import Where

OLD_FUNCTION = (
    ", or pass the function `lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)` in its place"
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What means something else in the other Keras."""

    place: str
    here: str
    """Generation of the Keras that the layer belongs to."""
    difference: str
    instead: str = OLD_FUNCTION
    """What else can be done where Keras 2 wrote the checkpoint."""
    where: Where | None = None

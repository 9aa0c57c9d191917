"""What layers derive from their variables, derived again from the restored values."""

from __future__ import annotations

from ckpt_action.engine.objects import walk
from ckpt_action.engine.restore.live import is_layer
from ckpt_action.engine.restore.records import LiveModel


def finish(model: LiveModel) -> None:
    """Let preprocessing layers recompute their constants.

    `Normalization` keeps mean and variance as constants beside its variables, and
    `TextVectorization` its weights; Keras itself does the same after loading a `.keras` file.
    """
    for _, item in list(walk(model.root)):
        finalize = getattr(item, "finalize_state", None) if is_layer(item) else None
        if callable(finalize):
            finalize()

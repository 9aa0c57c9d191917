"""What layers derive from their variables, derived again from the restored values."""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.restore.live import is_layer
from ckpt_action.engine.restore.records import LiveModel


def finish(model: LiveModel) -> None:
    """Let preprocessing layers recompute their constants.

    `Normalization` keeps mean and variance as constants beside its variables, and
    `TextVectorization` its weights; Keras itself does the same after loading a `.keras` file.
    """
    seen: dict[int, Any] = {}
    queue = [model.root]
    while queue:
        item = queue.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        finalize = getattr(item, "finalize_state", None)
        if is_layer(item) and callable(finalize):
            finalize()
        queue.extend(child.item for child in model.edges.below(item))

"""What layers derive from their variables, derived again from the restored values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckpt_action.engine.restore.model.live import is_layer


def layers_among(items: Iterable[tuple[str, Any]]) -> list[Any]:
    """Every Keras layer among what `objects.walk` found."""
    return [item for _, item in items if is_layer(item)]


def finish(layers: Iterable[Any]) -> None:
    """Let preprocessing layers recompute their constants.

    `Normalization` keeps mean and variance as constants beside its variables, and
    `TextVectorization` its weights; Keras itself does the same after loading a `.keras` file.
    """
    for layer in layers:
        finalize = getattr(layer, "finalize_state", None)
        if callable(finalize):
            finalize()

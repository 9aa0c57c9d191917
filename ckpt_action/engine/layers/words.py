"""Layers in messages, and the words of those that look words up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckpt_action.engine.layers.wiring import Layer

_KEY = "vocabulary"


def told(layer: Layer) -> str:
    return f"{layer.kind} {layer.name!r}" if layer.name else layer.kind


def with_words(
    stored: Mapping[str, Any], live: Mapping[str, Any], layer: Any
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Both settings with the words themselves: an architecture has them as its code gave them, or
    only the name of a file; a live layer may have learned them."""
    given = stored.get(_KEY)
    if not isinstance(given, list) or not hasattr(layer, "get_vocabulary"):
        return {k: v for k, v in stored.items() if k != _KEY}, live
    held = [str(word) for word in layer.get_vocabulary(include_special_tokens=False)]
    with_special = [str(word) for word in layer.get_vocabulary()]
    special = with_special[: len(with_special) - len(held)]
    words = [str(word) for word in given]
    if special and words[: len(special)] == special:
        words = words[len(special) :]
    return {**stored, _KEY: words}, {**live, _KEY: held}

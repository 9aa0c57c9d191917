"""The settings of two layers that are in the same place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ckpt_action.engine.layers.settings import Difference, differing
from ckpt_action.engine.layers.wiring import Layer, Wiring, wiring
from ckpt_action.engine.layers.words import told, with_words

Apart = tuple[str, str]
"""The same thing in words, as the file has it and as the model has it."""


def settings_apart(theirs: Layer, ours: Layer, live: Any) -> Iterator[Apart]:
    """`live`: the live layer; None of an operation."""
    keras_own = live is None or type(live).__module__.split(".")[0] in ("keras", "tf_keras")
    configs = with_words(theirs.config, ours.config, live)
    found = differing(theirs.kind, *configs, keras_own=keras_own)
    if found:
        yield in_words(theirs, ours, "with", found)


def in_words(theirs: Layer, ours: Layer, verb: str, found: Difference) -> Apart:
    return (
        f"{told(theirs)} {verb} {found.key}={found.stored}",
        f"{told(ours)} {verb} {found.key}={found.live}",
    )


def wrapped(theirs: Layer, ours: Layer) -> Iterator[tuple[str, Wiring, Wiring]]:
    """Models among the settings of both, as `TimeDistributed` has one, by their keys."""
    for key, value in theirs.config.items():
        pair = [_architecture(value), _architecture(ours.config.get(key))]
        if all(pair):
            yield key, wiring(pair[0]), wiring(pair[1])


def _architecture(value: Any) -> Mapping[str, Any]:
    config = value.get("config") if isinstance(value, Mapping) else None
    found = isinstance(config, Mapping) and isinstance(config.get("layers"), list)
    return config if found and config is not None else {}

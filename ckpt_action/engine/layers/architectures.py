"""The architecture in a file against that of the model: layers, settings, and what feeds what."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ckpt_action.engine.keras_versions import keras_family, keras_version
from ckpt_action.engine.layers.layer_kinds import described, in_words, operations
from ckpt_action.engine.layers.paths import Side
from ckpt_action.engine.layers.same_wiring import Comparison
from ckpt_action.engine.layers.wiring import wiring

Difference = tuple[list[str], list[str]]
"""What only the file has, and what only the model has."""


def by_architecture(config: str | None, written_by: str, model: Any) -> Difference | None:
    """None where the file tells nothing. `written_by`: the version of Keras, empty if unknown."""
    try:
        stored, live = json.loads(config or "null"), model.get_config()
    except Exception:  # noqa: BLE001  the code of a layer of the user's own may raise anything
        return None
    inner = stored.get("config") if isinstance(stored, Mapping) else None
    if not isinstance(inner, Mapping):
        return None
    theirs, ours = described(inner), described(live)
    if not theirs:  # a subclassed model tells nothing of its layers
        return None
    for kind in operations(inner) | operations(live):
        theirs.pop(kind, None)
        ours.pop(kind, None)
    found = only_in_each(in_words(theirs, ours), in_words(ours, theirs))
    return found if any(found) else _wired_apart(inner, live, written_by, model)


def only_in_each(stored: Counter[str], live: Counter[str]) -> Difference:
    return sorted((stored - live).elements()), sorted((live - stored).elements())


def _wired_apart(
    stored: Mapping[str, Any], live: Mapping[str, Any], written_by: str, model: Any
) -> Difference:
    version = keras_version(keras_family(model) or "") or ""
    try:
        comparison = Comparison(
            Side(wiring(stored)),
            Side(wiring(live), model),
            masks=_minor(written_by) == _minor(version),
            across=written_by.partition(".")[0] != version.partition(".")[0],
        )
        found = comparison.differences()
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ):  # of a Keras that writes it in yet another way
        return [], []
    return [theirs for theirs, _ in found], [ours for _, ours in found]


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]

"""Layer configurations of Keras 2 that Keras 3 refuses although it computes the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DROPPED: Mapping[str, tuple[object, ...]] = {
    "time_major": (False,),
    "implementation": (0, 1, 2),
    "groups": (1,),
}
"""Key to the values with which it means nothing to Keras 3. `implementation` only groups the same
products in another order."""

_ONLY_IN: Mapping[str, tuple[str, ...]] = {"groups": ("DepthwiseConv2D", "DepthwiseConv1D")}


def modernised(config: Any, class_name: str = "") -> Any:
    """`config` without keys that mean nothing here; any other value of theirs is left to fail."""
    if isinstance(config, list):
        return [modernised(item) for item in config]
    if not isinstance(config, dict):
        return config
    inner = str(config.get("class_name", ""))
    return {
        key: modernised(value, inner if key == "config" else "")
        for key, value in config.items()
        if not (
            class_name
            and key in _DROPPED
            and value in _DROPPED[key]
            and class_name in _ONLY_IN.get(key, (class_name,))
        )
    }

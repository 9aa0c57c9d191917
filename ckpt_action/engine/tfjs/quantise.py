"""Weights in fewer bits, and back, as TensorFlow.js computes it.

A quantised weight `q` means `q * scale + min`; zero has a `q` of its own, for padding and ReLU
depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.errors import ExitCode, fail

_LARGEST_HALF = 65504.0


@dataclass(frozen=True, kw_only=True)
class Quantise:
    dtype: str = ""
    """`float16`, `uint8` or `uint16`; empty: weights stay as they are."""
    only: tuple[str, ...] = ()
    """Patterns of weights' names; empty: all."""

    def takes(self, name: str) -> bool:
        return not self.only or any(fnmatchcase(name, pattern) for pattern in self.only)


def quantise_option(options: Mapping[str, object]) -> Quantise:
    given: Any = options.get("quantize")
    if given is None:
        return Quantise()
    return Quantise(dtype=str(given["weights"]), only=tuple(given.get("only", ())))


def refuse_idle_patterns(quantise: Quantise, names: list[str]) -> None:
    """Raises CkptActionError (CONFIG) for patterns that no weight matches."""
    idle = [p for p in quantise.only if not any(fnmatchcase(name, p) for name in names)]
    if idle:
        raise fail(
            ExitCode.CONFIG,
            f"`quantize.only` has {', '.join(map(repr, idle))}, which matches no weight.",
            hint=f"Weights of this model: {', '.join(names)}.",
        )


def quantised(value: Array, dtype: str) -> tuple[Array, dict[str, object]] | None:
    """The stored values and what the manifest says of them; None where they must stay.

    A single number stays, for it may be an epsilon, and so does what the narrow type cannot hold.
    """
    if value.dtype != np.float32 or value.size < 2 or not np.isfinite(value).all():
        return None
    if dtype == "float16":
        if np.abs(value).max() > _LARGEST_HALF:
            return None
        return value.astype(np.float16), {"dtype": dtype, "original_dtype": "float32"}
    low, high = float(value.min()), float(value.max())
    top = int(np.iinfo(dtype).max)
    scale = (high - low) / top or 1.0
    if low < 0 < high:
        low = -round(-low / scale) * scale
    steps = np.clip(np.round((value.astype(np.float64) - low) / scale), 0, top)
    entry = {"dtype": dtype, "min": low, "scale": scale, "original_dtype": "float32"}
    return steps.astype(dtype), entry


def restored(stored: Array, entry: Mapping[str, Any]) -> Array:
    """What TensorFlow.js makes of a quantised weight."""
    if entry["dtype"] == "float16":
        return stored.astype(np.float32)
    values = stored.astype(np.float64) * float(entry["scale"]) + float(entry["min"])
    return values.astype(np.float32)

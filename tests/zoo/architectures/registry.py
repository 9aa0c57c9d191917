"""What the zoo knows about a builder: how its model is called, and on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

SIZES = ({"batch": 3, "time": 5}, {"batch": 1, "time": 4})
"""The sizes of the free dimensions in the two golden files."""

WORDS = ("the", "cat", "sat", "mat", "on", "unseen")


@dataclass(frozen=True)
class Input:
    """One input, declared as in `model-export.toml`; values are drawn from [low, high)."""

    dtype: str
    shape: tuple[int | str, ...]
    low: float = -1.0
    high: float = 1.0

    def sample(self, rng: np.random.Generator, sizes: Mapping[str, int]) -> np.ndarray:
        shape = [sizes[d] if isinstance(d, str) else d for d in self.shape]
        if self.dtype == "string":
            return rng.choice(np.array(WORDS, dtype=object), size=shape).astype("S8")
        if self.dtype.startswith("int"):
            return rng.integers(int(self.low), int(self.high), shape).astype(self.dtype)
        return rng.uniform(self.low, self.high, shape).astype(self.dtype)


def floats(*shape: int | str, dtype: str = "float32") -> Input:
    return Input(dtype, shape)


def ids(*shape: int | str, below: int, dtype: str = "int32") -> Input:
    return Input(dtype, shape, 0, below)


def strings(*shape: int | str) -> Input:
    return Input("string", shape)


@dataclass(frozen=True)
class Architecture:
    """A builder and how the zoo uses what it returns."""

    name: str
    module: str
    build: Callable[[], Any]
    inputs: Mapping[str, Input]
    call: Literal["args", "list", "dict"] = "args"
    """How several inputs reach the model: as arguments, in one list, or in one dict."""
    method: str = "__call__"
    module_only: bool = False
    """A `tf.Module`: the ways of saving that belong to Keras do not exist."""
    standalone: bool = False
    """Written with `import keras`, which is Keras 3 also where tf.keras is Keras 2."""

    @property
    def entry_point(self) -> str:
        return f"{self.module}:{self.build.__name__}"


ARCHITECTURES: dict[str, Architecture] = {}


def architecture(
    *,
    call: Literal["args", "list", "dict"] = "args",
    method: str = "__call__",
    standalone: bool = False,
    **inputs: Input,
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a builder, unchanged, under its own name."""

    def enter(build: Callable[[], Any]) -> Callable[[], Any]:
        ARCHITECTURES[build.__name__] = Architecture(
            name=build.__name__,
            module=build.__module__,
            build=build,
            inputs=inputs,
            call=call,
            method=method,
            module_only=build.__module__.endswith("modules"),
            standalone=standalone,
        )
        return build

    return enter

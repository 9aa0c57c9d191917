"""How the repositories of this folder leave their files: a checkpoint, a golden file, a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

KERAS_2, KERAS_3 = "tf215-keras2", "tf218-keras3"


@dataclass(frozen=True)
class Repository:
    """One repository: what it commits and what its owner would write into model-export.toml."""

    name: str
    world: str
    train: Callable[[Path], None]
    """Fills the folder with the checkpoint, as the repository's own script does, and goldens."""
    toml: str


REPOSITORIES: dict[str, Repository] = {}


def repository(world: str, toml: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Enter a training script; `{here}` in `toml` is its folder."""

    def enter(train: Callable[[Path], None]) -> Callable[[Path], None]:
        REPOSITORIES[train.__name__] = Repository(train.__name__, world, train, toml)
        return train

    return enter


def trained(*models: Any, seed: int = 5) -> None:
    """Give all variables values that no initialiser gives; few different ones, to pack well."""
    rng = np.random.default_rng(seed)
    for model in models:
        for variable in model.variables:
            shape, dtype = tuple(variable.shape), tf.as_dtype(variable.dtype)
            if not dtype.is_floating or "seed" in variable.name:
                continue
            fan = max(1, int(np.prod(shape[:-1])))
            value = rng.integers(-8, 9, shape) / 8.0 / np.sqrt(fan) * 1.5
            if "variance" in variable.name:
                value = rng.integers(4, 12, shape) / 8.0
            variable.assign(value.astype(dtype.as_numpy_dtype))


def golden(
    folder: Path,
    inputs: Mapping[str, np.ndarray],
    outputs: Mapping[str, Any],
    name: str = "golden",
) -> None:
    arrays = {f"in_{key}": value for key, value in inputs.items()}
    arrays |= {f"out_{key}": np.asarray(value) for key, value in outputs.items()}
    for key, value in arrays.items():
        values = value.astype("float64")
        assert np.isfinite(values).all(), key
        assert value.size < 2 or values.std() > 1e-4, f"{key} says nothing"
    np.savez_compressed(folder / f"{name}.npz", **arrays)


def floats(*shape: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(-16, 17, shape) / 16.0).astype("float32")


def ids(*shape: int, below: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, below, shape).astype("int32")


def fit_once(model: Any, optimizer: Any, *inputs: Any) -> None:
    """One step, so that the optimizer has its slots; afterwards the weights are as before."""
    before = [variable.numpy() for variable in model.variables]
    with tf.GradientTape() as tape:
        outputs = tf.nest.flatten(model(*inputs))
        loss = tf.add_n([tf.reduce_mean(tf.square(tf.cast(o, tf.float32))) for o in outputs])
    gradients = tape.gradient(loss, model.trainable_variables)
    pairs: Sequence[tuple[Any, Any]] = [
        (tf.zeros_like(v) if g is None else g, v)
        for g, v in zip(gradients, model.trainable_variables, strict=True)
    ]
    optimizer.apply_gradients(pairs)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)

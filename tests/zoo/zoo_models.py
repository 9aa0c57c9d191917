"""Build, fill and call the models of the zoo; the same code in every world and in the tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from architectures import SIZES, Architecture
from architectures.preprocessing import VOCABULARY

GOLDEN_NAMES = ("golden.npz", "golden-single.npz")
"""One file for each entry of SIZES."""


def sample_inputs(architecture: Architecture, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(len(architecture.name))
    return {name: spec.sample(rng, sizes) for name, spec in architecture.inputs.items()}


def invoke(architecture: Architecture, model: Any, inputs: Mapping[str, np.ndarray]) -> list[Any]:
    """The model's outputs at inference, flat."""
    tensors = {
        name: tf.constant(value, dtype=architecture.inputs[name].dtype)
        for name, value in inputs.items()
    }
    function = getattr(model, architecture.method)
    arguments: list[Any] = list(tensors.values())
    if architecture.call != "args":
        arguments = [tensors if architecture.call == "dict" else arguments]
    inner = model.call if hasattr(model, "call") else function
    inner = getattr(inner, "python_function", inner)
    takes_training = "training" in inspect.signature(inner).parameters
    outputs = function(*arguments, **({"training": False} if takes_training else {}))
    return tf.nest.flatten(outputs)


def build(architecture: Architecture) -> Any:
    """The builder's model with its variables made.

    Keras 3 bakes the initial values into a `call` that is a tf.function and builds layers while
    it is traced, so the sizes here are others than those of the golden files.
    """
    model = architecture.build()
    if not getattr(model, "built", False):
        invoke(architecture, model, sample_inputs(architecture, {"batch": 2, "time": 3}))
        reset_states(model)
    return model


def fill(model: Any, seed: int = 7) -> None:
    """Give every variable a value that no initialiser gives, adapt what learns from data."""
    rng = np.random.default_rng(seed)
    adapted = set()
    for layer in _layers(model):
        if type(layer).__name__ == "Normalization" and layer.input_mean is None:
            layer.adapt(rng.normal(2.0, 3.0, (64, 4)).astype("float32"))
            adapted.update(id(variable) for variable in layer.weights)
        if layer.name == "vocabulary":
            layer.adapt(np.array([VOCABULARY * 2 + VOCABULARY[:2]]).reshape(-1, 1))
    for variable in variables_of(model):
        if id(variable) not in adapted:
            _fill_one(variable, rng)
    for table in _growing_tables(model):
        words = VOCABULARY if table.key_dtype == tf.string else [0, 1, 2, 3]
        numbers = tf.cast(rng.uniform(1.0, 4.0, 4), table.value_dtype)
        table.insert(tf.constant(words, table.key_dtype), numbers)


def _growing_tables(model: Any) -> list[Any]:
    """But those of Keras's lookup layers."""
    owners = [one for one in (_layers(model) or [model]) if not hasattr(one, "get_vocabulary")]
    held = [value for owner in owners for _, value in sorted(vars(owner).items())]
    return [value for value in held if hasattr(value, "insert") and hasattr(value, "lookup")]


def _fill_one(variable: Any, rng: np.random.Generator) -> None:
    dtype = tf.as_dtype(variable.dtype)
    shape = tuple(variable.shape)
    if "seed" in variable.name or "StateVar" in variable.name or dtype == tf.uint32:
        return
    if dtype == tf.bool:
        variable.assign(rng.integers(0, 2, shape).astype(bool) | (np.arange(np.prod(shape)) == 0))
    elif dtype.is_integer:
        variable.assign(rng.integers(1, 4, shape).astype(dtype.as_numpy_dtype))
    else:
        positive = any(word in variable.name for word in ("variance", "size", "temperature"))
        value = rng.uniform(0.5, 1.5, shape) if positive else rng.normal(0.0, 0.6, shape)
        variable.assign(tf.cast(value, dtype))


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers()) if hasattr(model, "_flatten_layers") else []


def variables_of(model: Any) -> list[Any]:
    """Every variable once: Keras' own, and the bare tf.Variables that Keras 3 does not list."""
    found: dict[int, Any] = {}
    if hasattr(model, "_flatten_layers"):
        for variable in _weights(model):
            found.setdefault(id(_raw(variable)), variable)
        held = [value for layer in _layers(model) for value in vars(layer).values()]
    else:
        held = [vars(model)]
    for variable in _held(held, set()):
        found.setdefault(id(_raw(variable)), variable)
    return list(found.values())


def _weights(layer: Any) -> list[Any]:
    """Without the vocabularies, which Keras 2 lists among the weights."""
    return [weight for weight in layer.weights if hasattr(weight, "assign")]


def _raw(variable: Any) -> Any:
    value = getattr(variable, "value", variable)
    return value if isinstance(value, tf.Variable) else variable


def _held(value: Any, seen: set[int]) -> Iterator[Any]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, tf.Variable):
        yield value
    elif hasattr(value, "_flatten_layers"):
        yield from _weights(value)
    elif isinstance(value, tf.Module):
        yield from _held(vars(value), seen)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            if not str(key).startswith("_self_"):
                yield from _held(value[key], seen)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _held(item, seen)


def reset_states(model: Any) -> None:
    """Stateful recurrent layers back to zero."""
    for layer in _layers(model):
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
            layer.reset_states()
        elif getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def values_of(model: Any) -> list[np.ndarray]:
    return [np.array(variable) for variable in variables_of(model)]


def assign(model: Any, values: list[np.ndarray]) -> None:
    for variable, value in zip(variables_of(model), values, strict=True):
        variable.assign(value)


def write_golden(architecture: Architecture, model: Any, folder: Path) -> None:
    """`in_<name>` and `out_<i>`, in one file for each entry of SIZES."""
    for name, sizes in zip(GOLDEN_NAMES, SIZES, strict=True):
        inputs = sample_inputs(architecture, sizes)
        reset_states(model)
        outputs = invoke(architecture, model, inputs)
        arrays = {f"in_{key}": value for key, value in inputs.items()}
        arrays |= {f"out_{k}": np.asarray(value) for k, value in enumerate(outputs)}
        save_golden(folder / name, arrays)
    reset_states(model)


def save_golden(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuses outputs that prove nothing."""
    for name, value in arrays.items():
        if value.dtype.kind != "S" and not np.isfinite(value.astype("float64")).all():
            raise ValueError(f"{name} is not finite: the golden file would prove nothing")
    np.savez(file, **arrays)

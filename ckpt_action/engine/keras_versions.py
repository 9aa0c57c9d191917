"""Which Keras an object belongs to. Nothing is imported that the user's code did not import."""

from __future__ import annotations

import sys
from typing import Any, Literal

KerasFamily = Literal["keras-3", "keras-2"]


_found: dict[int, Any] = {}
"""Walks ask for every object, mostly for a generation that is not loaded: what was found once is
neither looked for nor looked at again."""


def loaded_keras(generation: int) -> Any | None:
    """The module of Keras 2 (`tf_keras`, or `keras` in TensorFlow 2.15) or 3; None: not loaded."""
    if generation in _found:
        return _found[generation]
    for name in ("tf_keras", "keras"):
        module = sys.modules.get(name)
        if module is None or module in _found.values():
            continue
        version = str(getattr(module, "__version__", ""))
        if version.startswith(f"{generation}.") and hasattr(module, "layers"):
            return _found.setdefault(generation, module)
    return None


def keras_family(found: object) -> KerasFamily | None:
    """The family of a Keras layer or model; None for anything else."""
    for generation, family in ((3, "keras-3"), (2, "keras-2")):
        keras = loaded_keras(generation)
        if keras is not None and isinstance(found, keras.layers.Layer):
            return family  # type: ignore[return-value]
    return None


def keras_version(family: str) -> str | None:
    """Version of the Keras that `family` names; None for `module` and `graph`."""
    if family not in ("keras-3", "keras-2"):
        return None
    keras = loaded_keras(3 if family == "keras-3" else 2)
    return str(keras.__version__) if keras is not None else None


def is_graph_model(model: object) -> bool:
    """Whether `model` is a Functional model, or a Sequential one that knows its inputs."""
    family = keras_family(model)
    if family is None or not hasattr(model, "inputs"):
        return False
    keras = loaded_keras(3 if family == "keras-3" else 2)
    if keras is None or not isinstance(model, keras.Model):
        return False
    if isinstance(model, keras.Sequential):
        return bool(model.built and model.inputs)
    functional = type(model).__mro__
    return any(kind.__name__ == "Functional" for kind in functional) and bool(model.inputs)

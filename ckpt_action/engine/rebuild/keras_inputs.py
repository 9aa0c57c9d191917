"""What a Functional or Sequential model says about its own inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Dimension, InputSpec
from ckpt_action.engine.names import legal_name
from ckpt_action.golden_call import AUTOMATIC


@dataclass(frozen=True, kw_only=True)
class ModelInput:
    """One leaf of the structure that the model is called with."""

    tensor: Any
    """The symbolic tensor; its identity ties it to its place in the structure."""
    name: str
    """Key of a dict input, or the name that the user gave the input layer; empty: automatic."""
    dtype: str
    shape: tuple[int | None, ...] | None


def input_structure(model: Any) -> Any:
    """The symbolic inputs in the structure that the model takes: one, a list, a dict, nested."""
    return model.inputs[0] if len(model.inputs) == 1 and not _is_dict(model) else model.input


def model_inputs(model: Any) -> tuple[ModelInput, ...]:
    """The leaves of `input_structure`, in the order of `tf.nest.flatten`."""
    structure = input_structure(model)
    keys = sorted(structure) if isinstance(structure, dict) else []
    found = []
    for index, tensor in enumerate(tf.nest.flatten(structure)):
        name = str(keys[index]) if len(keys) == len(model.inputs) else _layer_name(tensor)
        shape = tensor.shape
        sizes = None if getattr(shape, "rank", 0) is None else tuple(shape)
        found.append(
            ModelInput(tensor=tensor, name=name, dtype=tf.as_dtype(tensor.dtype).name, shape=sizes)
        )
    return tuple(found)


def derived_inputs(model: Any) -> tuple[InputSpec, ...]:
    """The model's inputs as a declaration, with names that do not depend on what else was built."""
    inputs = model_inputs(model)
    fallback = ["inputs"] if len(inputs) == 1 else [f"input_{i}" for i in range(len(inputs))]
    names = [legal_name(each.name) or other for each, other in zip(inputs, fallback, strict=True)]
    if max(Counter(names).values()) > 1:
        names = fallback
    return tuple(
        InputSpec(name=name, dtype=each.dtype, shape=named_sizes(name, each.shape or ()))
        for name, each in zip(names, inputs, strict=True)
    )


def named_sizes(name: str, shape: tuple[int | None, ...]) -> tuple[Dimension, ...]:
    """`shape` as a declaration of the input `name` has it."""
    return tuple(
        size if size is not None else "batch" if axis == 0 else f"{name}_{axis}"
        for axis, size in enumerate(shape)
    )


def _layer_name(tensor: Any) -> str:
    name = str(tensor._keras_history[0].name)  # noqa: SLF001  the input layer, in either Keras
    return "" if AUTOMATIC.match(name) else name


def _is_dict(model: Any) -> bool:
    return isinstance(getattr(model, "input", None), dict)

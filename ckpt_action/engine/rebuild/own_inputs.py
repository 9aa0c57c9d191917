"""What a functional or sequential model says of its inputs, beside what is declared of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import InputSpec, Signature
from ckpt_action.engine.rebuild.keras_inputs import ModelInput, named_sizes
from ckpt_action.errors import ExitCode, Problem, warning

_TAKE_INTEGERS = frozenset(
    {
        "CategoryEncoding",
        "Discretization",
        "Embedding",
        "HashedCrossing",
        "Hashing",
        "IntegerLookup",
    }
)
"""Layers that get integers however their input is declared: Keras makes it float32 by itself."""

Pairs = Sequence[tuple[InputSpec, ModelInput]]
"""Each declared input, and the one that it is passed to."""


def other_dtypes(signature: Signature, pairs: Pairs, model: Any) -> tuple[Problem, ...]:
    """A warning of each input that is declared as integers for numbers, or the other way round, or
    as `float64` for `float32`, which may be meant."""
    return tuple(
        warning(
            ExitCode.SIGNATURE,
            f"signature {signature.name} declares {spec.name} as {spec.dtype}; the model's own "
            f"input is {in_words([(spec, own)])}. It is exported as declared.",
            hint=f'Declare dtype = "{own.dtype}", unless its consumers have {spec.dtype}.',
        )
        for spec, own in pairs
        if _differs(spec.dtype, own.dtype)
        and not (tf.as_dtype(spec.dtype).is_integer and _feeds_integers(model, own.tensor))
    )


def in_words(pairs: Pairs) -> str:
    """`z: float32[batch, 16]` of every input, as the model has it."""
    return ", ".join(f"{spec.name}: {own.dtype}{_shape(spec.name, own)}" for spec, own in pairs)


def _shape(name: str, own: ModelInput) -> str:
    sizes = named_sizes(name, own.shape or ())
    return "" if own.shape is None else f"[{', '.join(map(str, sizes))}]"


def _differs(declared: str, own: str) -> bool:
    """Bytes of images are what people send to models that compute with floats."""
    if declared == "uint8":
        return False
    if (declared, own) == ("float64", "float32"):
        return True
    here, there = tf.as_dtype(declared), tf.as_dtype(own)
    return bool((here.is_floating and there.is_integer) or (here.is_integer and there.is_floating))


def _feeds_integers(model: Any, tensor: Any) -> bool:
    return any(takes(layer, tensor) for layer in model.layers if _takes_integers(layer))


def _takes_integers(layer: Any) -> bool:
    return any(kind.__name__ in _TAKE_INTEGERS for kind in type(layer).__mro__)


def takes(layer: Any, tensor: Any) -> bool:
    """Whether `tensor` is the one input of `layer`."""
    try:
        return layer.input is tensor
    except (AttributeError, RuntimeError, ValueError):
        return False

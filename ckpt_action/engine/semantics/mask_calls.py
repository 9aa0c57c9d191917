"""What one call of a Keras layer has to do with masks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

Masks = tuple[Any, ...]
"""Those that there are, in order."""


@dataclass(frozen=True)
class MaskedCall:
    """Before the layer runs: layers take masks off their inputs."""

    layer: Any
    parameters: Mapping[str, inspect.Parameter]
    given: Mapping[str, Any]
    """By the parameters' names; without defaults."""
    masks: Mapping[int, Any]
    """Of the tensors that are given, by their identities."""

    @classmethod
    def of(
        cls, layer: Any, arguments: Sequence[Any], options: Mapping[str, Any]
    ) -> MaskedCall | None:
        """None where the arguments do not fit: the call itself will say so."""
        signature = inspect.signature(layer.call)
        known = {k: v for k, v in options.items() if k in signature.parameters}
        try:
            given = signature.bind_partial(*arguments, **known).arguments
        except TypeError:
            return None
        masks = {id(one): mask_of(one) for one in tf.nest.flatten(dict(given))}
        return cls(layer, signature.parameters, given, masks)

    @property
    def first(self) -> Any:
        return next(iter(self.given.values()), None)

    @property
    def takes_mask(self) -> bool:
        return "mask" in self.parameters

    @property
    def explicit(self) -> Masks:
        """What `mask` is called with."""
        return tuple(m for m in tf.nest.flatten(self.given.get("mask")) if m is not None)

    @cached_property
    def tensors(self) -> dict[str, Any]:
        return {name: value for name, value in self.given.items() if _is_tensors(value)}

    def masks_of(self, value: Any) -> Masks:
        found = (self.masks.get(id(one)) for one in tf.nest.flatten(value))
        return tuple(one for one in found if one is not None)


def mask_of(tensor: Any) -> Any | None:
    """What Keras attached to `tensor`."""
    found = getattr(tensor, "_keras_mask", None)
    return found if tf.is_tensor(found) else None


def reads_masks(layer: Any, keras: Any) -> bool:
    """Whether what `layer` computes may depend on a mask: containers only hand it on."""
    if isinstance(layer, keras.Model) and is_keras_own(layer):
        return False
    if isinstance(layer, keras.layers.BatchNormalization):
        return False  # only in training
    function = layer.function if isinstance(layer, keras.layers.Lambda) else layer.call
    names = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in names.values())
    return takes_any or any(name == "mask" or name.endswith("_mask") for name in names)


def is_keras_own(layer: Any) -> bool:
    return type(layer).call.__module__.partition(".")[0] in ("keras", "tf_keras")


def same_masks(some: Masks, others: Masks) -> bool:
    return len(some) == len(others) and all(map(same_value, some, others))


def same_value(first: Any, second: Any) -> bool:
    """Whether two tensors of a graph are the same one, or computed alike from the same ones."""
    pending, seen = [(first, second)], set()
    while pending:
        one, other = pending.pop()
        if one is other:
            continue
        if not hasattr(one, "graph") or one.graph is not getattr(other, "graph", None):
            return False  # as eager ones
        pair = one.name, other.name
        if one.name == other.name or pair in seen:
            continue
        seen.add(pair)
        a, b = one.op, other.op
        if (
            one.value_index != other.value_index
            or a.op_def.is_stateful
            or (not a.inputs and a.type != "Const")
            or (a.type, len(a.inputs), a.node_def.attr) != (b.type, len(b.inputs), b.node_def.attr)
        ):
            return False
        pending += zip(a.inputs, b.inputs, strict=True)
    return True


def _is_tensors(value: Any) -> bool:
    leaves = [one for one in tf.nest.flatten(value) if one is not None]
    return bool(leaves) and all(tf.is_tensor(x) or isinstance(x, np.ndarray) for x in leaves)

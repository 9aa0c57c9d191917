"""Weights of CuDNNLSTM and CuDNNGRU for the LSTM and GRU layers that took their place.

Keras 2 converts them when it loads a legacy `.h5`: cuDNN keeps each gate's kernels transposed, and
two biases that it adds. The formulas are those of `_convert_rnn_weights` in hdf5_format.py of
tf_keras (tf_keras/src/saving/legacy). Only layers that compute what cuDNN computes take part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.records import Value

_WEIGHTS = 3
"""Kernel, recurrent kernel, bias."""


@dataclass(frozen=True)
class Kind:
    """A layer of cuDNN, by the Keras layer that computes the same."""

    layer: str
    gates: int

    @property
    def name(self) -> str:
        return f"CuDNN{self.layer}"


_KINDS = (Kind("LSTM", 4), Kind("GRU", 3))


def kind_of(values: Sequence[Value]) -> Kind | None:
    """Which layer of cuDNN has these values; None: none has."""
    if [len(value.shape) for value in values] != [2, 2, 1]:
        return None
    (_, width), (units, recurrent), (biases,) = (value.shape for value in values)
    for kind in _KINDS:
        if width == recurrent == units * kind.gates and biases == 2 * units * kind.gates:
            return kind
    return None


@dataclass(frozen=True, kw_only=True)
class Native:
    """The values of one layer of a file, as the live layer has its own."""

    values: Sequence[Value]
    notes: tuple[str, ...] = ()
    """What they were laid out from."""
    why_not: tuple[str, ...] = ()


def native(layer: Any, values: Sequence[Value]) -> Native:
    """Values of cuDNN laid out for `layer` where that computes the same, all others as they are."""
    cells = _recurrent(layer)
    if len(values) != _WEIGHTS * len(cells):
        return Native(values=values)
    result: list[Value] = []
    notes: list[str] = []
    why_not: list[str] = []
    for number, cell in enumerate(cells):
        own = values[number * _WEIGHTS : (number + 1) * _WEIGHTS]
        kind = kind_of(own)
        reason = difference(cell, kind) if kind else ""
        if kind and not reason:
            own = _laid_out(own, kind)
            notes.append(f"{cell.name} has its weights converted from {kind.name}, as Keras 2 does")
        elif reason:
            why_not.append(f"of {cell.name}, {reason}")
        result += own
    return Native(values=result, notes=tuple(notes), why_not=tuple(why_not))


def difference(layer: Any, kind: Kind) -> str:
    """Why `layer` is not what cuDNN computes; empty where it is."""
    if not _is_kerass(layer, kind.layer):
        return f"it is no {kind.layer} of Keras"
    if kind.layer == "GRU" and not layer.reset_after:
        return "it has `reset_after=False`"
    wanted = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    for argument, name in wanted.items():
        function = getattr(layer, argument)
        found = getattr(function, "__name__", "")
        if found != name or not _is_of_keras(function):
            return f"its `{argument}` is {found or 'a function of its own'}, cuDNN's is {name}"
    return "" if layer.use_bias else "it has `use_bias=False`"


def _recurrent(layer: Any) -> list[Any]:
    """The recurrent layers of which `layer` has its weights, in their order."""
    if _is_kerass(layer, "Bidirectional"):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]


def _is_of_keras(function: Any) -> bool:
    package = str(getattr(function, "__module__", "")).split(".")[0]
    return package in ("keras", "tf_keras", "tensorflow")


def _is_kerass(layer: Any, name: str) -> bool:
    """Not a layer of the user's own that is called alike, or made of it."""
    package = type(layer).__module__.split(".")[0]
    return package in ("keras", "tf_keras") and type(layer).__name__ == name


def _laid_out(values: Sequence[Value], kind: Kind) -> list[Value]:
    kernel, recurrent, bias = values
    (width,) = bias.shape
    shape = (width // 2,) if kind.layer == "LSTM" else (2, width // 2)
    return [
        replace(kernel, relayout=partial(_gatewise, _from_fortran, kind.gates)),
        replace(recurrent, relayout=partial(_gatewise, np.transpose, kind.gates)),
        replace(bias, shape=shape, relayout=_added if kind.layer == "LSTM" else _split),
    ]


def _gatewise(change: Callable[[Array], Array], gates: int, kernels: Array) -> Array:
    changed: Array = np.hstack([change(kernel) for kernel in np.hsplit(kernels, gates)])
    return changed


def _from_fortran(kernel: Array) -> Array:
    moved: Array = kernel.T.reshape(kernel.shape, order="F")
    return moved


def _added(biases: Array) -> Array:
    first, second = np.split(biases, 2)
    added: Array = first + second
    return added


def _split(biases: Array) -> Array:
    return biases.reshape(2, -1)

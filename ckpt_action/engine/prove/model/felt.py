"""How much each column of the inputs moves the outputs, and from which size on it does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.rows import have_rows
from ckpt_action.engine.prove.outputs.spread import inexact

_MOST, _ROWS = 1024, 32
"""Columns that are looked at, and how many in one call. Without free rows: as many, one by one."""
_POWERS = range(1, 10)
_UNFELT, _FELT = 0.1, 0.3
"""Parts of what a column moves as a mean: below the first one it is not felt, from the second on
it is."""
_LEAST = 0.3
"""Of what each of n columns moves where all of them together move an output from end to end."""
_PLAIN = 0.5
"""A drawn value that is nearer to zero tells too little of its column."""

Inputs = Mapping[str, Array]


@dataclass(frozen=True, order=True)
class Column:
    """A place in the last axis of a floating-point input; all of an input of fewer axes."""

    input: str
    at: int


class Felt:
    """`base` is the call in which one column after the other is changed."""

    def __init__(self, live: LiveSignature, base: Probe, spreads: Mapping[str, float]) -> None:
        self._live, self._base = live, base
        self._spreads = {n: s for n, s in spreads.items() if s and inexact(base.reference[n])}
        self._rows = _ROWS if have_rows(live.record) else 1

    def powers(self) -> dict[Column, int]:
        """Of each column that is not felt as it is: the power of ten by which it is. Columns that
        never move anything are left out."""
        columns = _columns(self._base.inputs)[: _MOST if self._rows > 1 else _ROWS]
        if not columns or not self._spreads:
            return {}
        moved = self._moves(columns, 1.0)
        mean = math.sqrt(sum(part**2 for part in moved.values()) / len(columns))
        usual = max(mean, _LEAST / math.sqrt(len(columns)))
        unfelt = [c for c in columns if moved[c] < _UNFELT * usual]
        found: dict[Column, int] = {}
        for power in _POWERS:
            left = [c for c in unfelt if c not in found]
            moved = self._moves(left, 10.0**power)
            found.update({c: power for c in left if moved[c] >= _FELT * usual})
        return found

    def _moves(self, columns: Sequence[Column], factor: float) -> dict[Column, float]:
        """By how many spreads of an output, as against zeros in that column."""
        found = {}
        for begin in range(0, len(columns), self._rows):
            chunk = columns[begin : begin + self._rows]
            large, zero = (self._run(chunk, by) for by in (factor, 0.0))
            for row, column in enumerate(chunk):
                found[column] = self._apart(large, zero, row)
        return found

    def _apart(self, one: Inputs, other: Inputs, row: int) -> float:
        place = row if self._rows > 1 else ...
        return max(
            (_largest(one[n][place], other[n][place]) / s for n, s in self._spreads.items())
            if one and other
            else (),
            default=0.0,
        )

    def _run(self, columns: Sequence[Column], factor: float) -> dict[str, Array]:
        """A row for each of `columns`, in which it is multiplied; empty where the model refuses."""
        inputs = dict(self._base.inputs)
        if self._rows > 1:
            inputs = {n: np.repeat(a[:1], len(columns), axis=0) for n, a in inputs.items()}
        for row, column in enumerate(columns):
            array = inputs[column.input] = inputs[column.input].copy()
            at = place(array, column, row if self._rows > 1 else None)
            array[at] = times(_plain(array[at]), factor)
        return self._live.answer(inputs) or {}


def place(array: Array, column: Column, row: int | None = None) -> tuple[Any, ...]:
    """Index of `column` in `array`, in one of its rows or in all."""
    inside = (..., column.at) if array.ndim > 1 else (...,)
    return inside if row is None else (row, *inside)


def times(values: Array, factor: float) -> Array:
    """Half precision ends early; then it is infinite, and the model says NaN."""
    with np.errstate(over="ignore"):
        return np.asarray(values.astype(np.float64) * factor).astype(values.dtype)


def _columns(inputs: Inputs) -> list[Column]:
    return [
        Column(name, at)
        for name, array in inputs.items()
        if array.size and array.dtype.kind in "fV"
        for at in range(array.shape[-1] if array.ndim > 1 else 1)
    ]


def _plain(values: Array) -> Array:
    near = np.where(values < 0, -_PLAIN, _PLAIN).astype(values.dtype)
    return np.asarray(np.where(np.abs(values) < _PLAIN, near, values))


def _largest(one: Array, other: Array) -> float:
    """Nothing where either is no number."""
    apart = np.abs(one.astype(np.complex128) - other.astype(np.complex128))
    return float(apart.max()) if apart.size and np.isfinite(apart).all() else 0.0

"""The spread of an output: how far its ordinary values lie apart, over all of its probes.

What another runtime may add is measured by that. The largest magnitude would not do: a mask of
-1e9 among logits, or an offset of 300 kelvin, makes room for any answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe

Key = tuple[str, str]
"""A signature and one of its outputs."""

_GAP, _LARGE = 30.0, 100.0
"""A value at least this large, and this many times larger than the next smaller one, marks
something instead of measuring it; and so do all beyond it."""


def inexact(array: Array) -> bool:
    return array.dtype.kind not in "iubO"


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What an output may differ beside the tolerances."""

    part: float
    added: float
    """That part of the spread, in the output's own unit."""

    @property
    def spread(self) -> float:
        return self.added / self.part

    def widened(self, rtol: float, atol: float) -> tuple[float, float]:
        """The tolerances with what is allowed; where that is less than they are, it decides."""
        return min(rtol, self.part), min(atol, self.part) + self.added


def allowances(probes: Sequence[Probe], max_error: float | None) -> dict[Key, Allowance]:
    """What `max_error` allows each output."""
    if max_error is None:
        return {}
    return {
        key: Allowance(part=max_error, added=max_error * spread(arrays))
        for key, arrays in expected(probes).items()
    }


def expected(probes: Iterable[Probe]) -> dict[Key, list[Array]]:
    """What every inexact output has to be, probe by probe."""
    found: dict[Key, list[Array]] = {}
    for probe in probes:
        outputs: Mapping[str, Array] = probe.reference or probe.golden or {}
        for name, array in outputs.items():
            if inexact(array):
                found.setdefault((probe.signature, name), []).append(array)
    return found


def spread(arrays: Sequence[Array]) -> float:
    """The largest distance of an ordinary value from their mean; their magnitude where all are
    equal, and 0 where there is none."""
    end = first_mark(arrays)
    values = np.concatenate([a.astype(np.complex128).reshape(-1) for a in arrays])
    values = values[np.isfinite(values) & (np.abs(values) < end)]
    if not values.size:
        return 0.0
    farthest = float(np.abs(values - values.mean()).max())
    largest = float(np.abs(values).max())
    return farthest if (values != values[0]).any() else largest


def first_mark(arrays: Sequence[Array]) -> float:
    """The magnitude from which values are marks; infinite where none is."""
    sizes = np.concatenate([np.abs(a.astype(np.complex128)).reshape(-1) for a in arrays])
    sizes = np.unique(sizes[np.isfinite(sizes) & (sizes > 0)])
    far = (sizes[1:] >= _LARGE) & (sizes[1:] >= _GAP * sizes[:-1])
    return float(sizes[1:][far][0]) if far.any() else np.inf

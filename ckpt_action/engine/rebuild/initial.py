"""Which values a model was made with: a copy of one that is found in its graph was never restored.

Only a mark of each value is kept. It does not depend on the order of the elements, so a transposed
or reshaped copy has the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.records import Rebuilt

_LOOKED_AT = 1024
"""Elements at the start of a value that must not be all equal: zeros and ones tell nothing, and
memory that is not in use yet reads as zeros."""

Initial = Mapping[int, "Mark"]
"""Identity of a raw variable to the mark of its initial value."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What the elements of a floating-point array are, whatever their order and shape."""

    dtype: str
    size: int
    total: int
    parity: int


def initial_values(rebuilt: Rebuilt) -> Initial:
    """Marks of the values that the variables of `rebuilt` have now, before it is restored."""
    found = {}
    for _, variable in reachable_variables(rebuilt.model):
        if variable.dtype.is_floating and variable.shape.num_elements():
            mark = mark_of(np.asarray(variable.read_value()))
            if mark is not None:
                found[id(variable)] = mark
    return found


def mark_of(array: Array) -> Mark | None:
    """None where the elements tell nothing: fewer than two, or all alike."""
    flat = np.ascontiguousarray(array).reshape(-1)
    bits = flat.view(f"u{flat.itemsize}")
    start = bits[:_LOOKED_AT]
    if not (start != start[:1]).any():
        return None
    return Mark(
        dtype=str(array.dtype),
        size=bits.size,
        total=int(np.add.reduce(bits, dtype=bits.dtype)),
        parity=int(np.bitwise_xor.reduce(bits)),
    )

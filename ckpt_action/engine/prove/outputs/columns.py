"""Columns of an output that tell nothing of the model's, beside others that do.

One number for a whole output hides them: where one column has pixels and another one a score
between 0 and 1, an error that is small for the first is all that the second has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.spread import Key, expected, first_mark

_ROWS = 4
"""Fewer are no measure of how a column varies."""
_VARIES = 1e-3
"""Of its largest value; a column that varies less is as good as constant."""


def lost_columns(
    probes: Sequence[Probe], outputs: Sequence[Mapping[str, Array] | None]
) -> dict[Key, tuple[int, ...]]:
    """Places in the last axis at which a constant would be as close to the model as `outputs`.

    Probabilities are left out: their columns have one unit, and one that is never likely may
    become 0.
    """
    found: dict[Key, tuple[int, ...]] = {}
    for key in expected(probes):
        pairs = [
            (probe.reference[key[1]], have[key[1]])
            for probe, have in zip(probes, outputs, strict=True)
            if probe.signature == key[0] and have is not None and key[1] in probe.reference
        ]
        if lost := _lost(pairs):
            found[key] = lost
    return found


def _lost(pairs: Sequence[tuple[Array, Array]]) -> tuple[int, ...]:
    shapes = {(want.shape[-1:], want.shape == have.shape) for want, have in pairs if want.ndim > 1}
    if len(shapes) != 1 or any(want.ndim < 2 or want.dtype.kind == "c" for want, _ in pairs):
        return ()
    ((width,), alike) = shapes.pop()
    if width < 2 or not alike:
        return ()
    want, have = (
        np.concatenate([pair[side].astype(np.float64).reshape(-1, width) for pair in pairs])
        for side in (0, 1)
    )
    end = first_mark([w for w, _ in pairs])
    plain = np.isfinite(want) & np.isfinite(have) & (np.abs(want) < end)
    if len(want) < _ROWS or (want[plain].min(initial=0) >= 0 and want[plain].max(initial=0) <= 1):
        return ()
    return tuple(
        at for at in range(width) if _is_lost(want[plain[:, at], at], have[plain[:, at], at])
    )


def _is_lost(want: Array, have: Array) -> bool:
    if len(want) < _ROWS:
        return False
    varies = float(np.square(want - want.mean()).mean())
    if varies <= (_VARIES * float(np.abs(want).max())) ** 2:
        return False
    return float(np.square(want - have).mean()) >= varies


def without_columns(found: Mapping[Key, tuple[int, ...]]) -> str:
    each = (
        f"{_places(places)} of output {name!r} of signature {signature!r}, whose other columns are "
        "larger (give it an output of its own, or quantise less)"
        for (signature, name), places in found.items()
    )
    return f"not shown: a constant would be as close to the model in {', '.join(each)}"


def _places(places: Sequence[int]) -> str:
    shown = ", ".join(map(str, places[:5])) + (", …" if len(places) > 5 else "")
    return f"column{'s' if len(places) > 1 else ''} {shown}"

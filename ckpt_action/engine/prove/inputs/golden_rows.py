"""Whether golden rows are enough to say what quantising costs on real inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe

_ROWS = 8
"""Different ones; fewer are no sample of anything."""
_SAMPLES = 100
"""From so many measured ones on, the ranges are those of any others."""


def weak_golden(probes: Sequence[Probe], samples: Sequence[tuple[str, Mapping[str, Array]]]) -> str:
    """Why the golden rows among `probes` are not enough; empty where they are, or there are none.

    `samples`: (signature, inputs) that ranges were measured on. What was fitted to the golden rows
    themselves is near the model there, wherever it is elsewhere.
    """
    golden = next((p for p in probes if p.golden is not None), None)
    if golden is None:
        return ""
    rows = _rows(golden.inputs)
    if len(rows) < _ROWS:
        return (
            f"{_ROWS} different golden rows are the least that tells what quantising costs, "
            f"not {len(rows)}"
        )
    own = [inputs for signature, inputs in samples if signature == golden.signature]
    measured = {row for inputs in own for row in _rows(inputs)}
    if len(rows - measured) < _ROWS and 0 < len(measured) < _SAMPLES:
        return (
            f"{len(rows & measured)} of the {len(rows)} golden rows are among the {len(measured)} "
            "rows of `representative-data`, and integers fitted to few rows are right on those"
        )
    return ""


def _rows(inputs: Mapping[str, Array]) -> set[bytes]:
    """The bytes of each; all inputs are one row where they have no first dimension in common."""
    arrays = list(inputs.values())
    sizes = {a.shape[0] if a.ndim else None for a in arrays}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None:
        return {_bytes(arrays)}
    return {_bytes([a[at] for a in arrays]) for at in range(size)}


def _bytes(arrays: Sequence[Array]) -> bytes:
    return b"\0".join(
        repr(a.tolist()).encode() if a.dtype.hasobject else a.tobytes() for a in arrays
    )

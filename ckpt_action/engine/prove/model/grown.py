"""Probes of sizes above those that are drawn, for Python code that asks whether one is large.

Where a size is not known while a graph is traced, `if (x.shape[1] or 0) > 16` is decided once for
all of them, and drawn sizes may all lie on the side that was chosen. Keras asks it of images, where
it crops or resizes them, and of no sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.cuts import LARGE, free_sizes, size_of
from ckpt_action.engine.prove.inputs.probes import Probe, dimension
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.numbers import nan_count
from ckpt_action.outcome import SignatureRecord

_SIZES = (160, 48)
"""Multiples of 16, as networks that halve and join want them; the second where a table of
positions ends before the first."""


def grown_probes(live: LiveSignature, probes: Sequence[Probe]) -> Iterator[Probe]:
    """With outputs: of every free dimension beside the rows the largest size that the model takes.

    One at a time, which costs little; together only those that the model wants of one size. None
    for recurrent layers where all code is Keras': to call them would be half of their export.
    """
    if live.keras_alone and live.loops_over_sequences():
        return
    base = min((p for p in probes if not p.cut), key=size_of)
    rows = {dimension(t, 0) for t in live.record.inputs if t.shape}
    names = [name for name in free_sizes(live.record, base) if name not in rows]
    refused = []
    for name in names:
        probe = _taken(live, base, [name])
        if probe:
            yield probe
        else:
            refused.append(name)
    together = _taken(live, base, refused) if len(refused) > 1 else None
    if together:
        yield together


def _taken(live: LiveSignature, base: Probe, names: Collection[str]) -> Probe | None:
    sizes = free_sizes(live.record, base)
    for size in _SIZES:
        if any(sizes[name] >= size for name in names):
            break
        probe = _grown(live.record, base, names, size)
        if size_of(probe) > LARGE:
            continue
        try:
            reference = live.run(probe.inputs)
        except tf.errors.ResourceExhaustedError:
            raise
        except (tf.errors.OpError, ValueError):
            continue
        if not any(map(nan_count, reference.values())):
            return replace(probe, reference=reference)
    return None


def _grown(signature: SignatureRecord, probe: Probe, names: Collection[str], size: int) -> Probe:
    inputs = dict(probe.inputs)
    for tensor in signature.inputs:
        for axis, n in enumerate(tensor.shape or ()):
            if not isinstance(n, int) and dimension(tensor, axis) in names:
                inputs[tensor.name] = _tiled(inputs[tensor.name], axis, size)
    label = f"{probe.label} grown to {', '.join(f'{name}={size}' for name in names)}"
    return replace(probe, label=label, inputs=inputs, reference={}, golden=None, cut=True)


def _tiled(array: Array, axis: int, size: int) -> Array:
    """Floats fade: of equal values, rounding alone would say which one is the largest."""
    tiled: Array = array.take(np.arange(size) % array.shape[axis], axis)
    if array.dtype.kind in "iubO":
        return tiled
    along = [size if at == axis else 1 for at in range(array.ndim)]
    return np.asarray(tiled * np.linspace(1.0, 0.5, size).reshape(along), array.dtype)

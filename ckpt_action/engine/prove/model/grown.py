"""Probes of sizes above those that are drawn, for Python code that asks whether one is large.

Where a size is not known while a graph is traced, `if (x.shape[1] or 0) > 16` is decided once for
all of them, and drawn sizes may all lie on the side that was chosen. Keras asks it of images, where
it crops or resizes them, and of no sequence; the user's code tells what it asks for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.cuts import LARGE, free_sizes, size_of
from ckpt_action.engine.prove.inputs.probes import Probe, dimension
from ckpt_action.engine.prove.model.asked_sizes import Change
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.numbers import nan_count
from ckpt_action.engine.prove.outputs.spread import inexact
from ckpt_action.outcome import SignatureRecord

_SIZES = (160, 48)
"""Multiples of 16, as networks that halve and join want them; the second where a table of
positions ends before the first."""


_SHAPE = re.compile(rb"\b(int_)?shape\b")
_ASKED = 4
"""How many sizes that the code asks for are tried of one dimension."""
_LARGEST = 10_000
_ROUNDS = 3
"""At a larger size the code may ask for more."""
_NOBODYS = 1 << 20
"""A larger number stands for any size."""


@dataclass(frozen=True, kw_only=True)
class Grown:
    probes: tuple[Probe, ...]
    """With outputs."""
    left: tuple[str, ...] = ()
    """What could not be tried, in words."""


def grown(live: LiveSignature, probes: Sequence[Probe]) -> Grown:
    """`grown_probes`, and those of the sizes that the user's code compares with."""
    found = tuple(grown_probes(live, probes))
    if live.keras_alone or not any(_SHAPE.search(f.read_bytes()) for f in live.sources):
        return Grown(probes=found)
    base = min((p for p in probes if not p.cut), key=size_of)
    names = _names(live.record, base)
    most = {n: max(free_sizes(live.record, p)[n] for p in (base, *found)) for n in names}
    changes: set[tuple[str, Change]] = set()
    asked: dict[tuple[str, Sequence[int]], Probe | None] = {}
    left: list[str] = []
    fresh: Sequence[Probe] = (base, *found)
    for _ in range(_ROUNDS):
        changes |= {one for probe in fresh for one in _changes(live, probe, names)}
        wanted = [one for n in names for one in _wanted(n, changes, most[n]) if one not in asked]
        for name, sizes in wanted:
            tried = [p for p in (_of_size(live.record, base, name, n) for n in sizes) if p]
            if not tried:
                left.append(f"the code asks whether {name} is {sizes[-1]}, too large to be tried")
            asked[name, sizes] = next(filter(None, (_with_outputs(live, p) for p in tried)), None)
        fresh = [probe for one in wanted if (probe := asked[one])]
    return Grown(probes=(*found, *filter(None, asked.values())), left=tuple(left))


def _changes(
    live: LiveSignature, probe: Probe, names: Sequence[str]
) -> Iterator[tuple[str, Change]]:
    """Of every dimension where it is not clear which one was asked for."""
    sizes = free_sizes(live.record, probe)
    for change in live.asked_sizes(probe.inputs):
        for name in [n for n in names if sizes[n] == change.size] or names:
            yield name, change


def _wanted(
    name: str, changes: Collection[tuple[str, Change]], most: int
) -> Iterator[tuple[str, Sequence[int]]]:
    """Sizes of more than `most` at which a comparison in the user's code comes out otherwise, each
    with one well beyond it, which tells more, in front."""
    exactly = {change.at for n, change in changes if n == name and change.exactly}
    beyond = sorted(
        {change.at for n, change in changes if n == name and most < change.at < _NOBODYS}
    )
    for at, following in itertools.zip_longest(beyond[:_ASKED], beyond[1:_ASKED]):
        further = min(2 * at, following - 1 if following else _LARGEST)
        yield name, ((at,) if at in exactly or further <= at else (further, at))


def _of_size(record: SignatureRecord, base: Probe, name: str, size: int) -> Probe | None:
    """None where that is too large to be tried, even of one row."""
    if size > _LARGEST:
        return None
    probe = _grown(record, base, (name,), size)
    if size_of(probe) > LARGE:
        probe = _of_one_row(record, probe)
    return probe if size_of(probe) <= LARGE else None


def _names(record: SignatureRecord, base: Probe) -> list[str]:
    rows = {dimension(t, 0) for t in record.inputs if t.shape}
    return [name for name in free_sizes(record, base) if name not in rows]


def grown_probes(live: LiveSignature, probes: Sequence[Probe]) -> Iterator[Probe]:
    """With outputs: of every free dimension beside the rows the largest size that the model takes.

    One at a time, which costs little; together only those that the model wants of one size. None
    for recurrent layers where all code is Keras': to call them would be half of their export.
    """
    if live.keras_alone and live.loops_over_sequences():
        return
    base = min((p for p in probes if not p.cut), key=size_of)
    refused = []
    for name in _names(live.record, base):
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
        if taken := _with_outputs(live, probe):
            return taken
    return None


def _with_outputs(live: LiveSignature, probe: Probe) -> Probe | None:
    """None where the model refuses it, or answers with NaN."""
    reference = live.answer(probe.inputs)
    if reference is None or any(map(nan_count, reference.values())):
        return None
    return replace(probe, reference=reference)


def _of_one_row(signature: SignatureRecord, probe: Probe) -> Probe:
    rows = {dimension(t, 0) for t in signature.inputs if t.shape and isinstance(t.shape[0], str)}
    inputs = dict(probe.inputs)
    for tensor in signature.inputs:
        if tensor.shape and dimension(tensor, 0) in rows:
            inputs[tensor.name] = inputs[tensor.name][:1]
    return replace(probe, inputs=inputs)


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
    if not inexact(array):
        return tiled
    along = [size if at == axis else 1 for at in range(array.ndim)]
    return np.asarray(tiled * np.linspace(1.0, 0.5, size).reshape(along), array.dtype)

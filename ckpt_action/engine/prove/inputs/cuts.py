"""Probes of the sizes that Python code asks about: 1, and one free size above or below another.

Where a size is not known while a graph is traced, `if x.shape[1] == 1` is decided once for all of
them. So one probe of each kind has to be there: where none is drawn, another one is cut.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ckpt_action.engine.prove.inputs.probes import Probe, dimension
from ckpt_action.outcome import SignatureRecord

LARGE = 1 << 17
"""Values; of larger inputs, which are images, one row is called: it costs what the network does."""

Kind = tuple[str, ...]


def cut_probes(signature: SignatureRecord, probes: Sequence[Probe]) -> Iterator[Probe]:
    """Without outputs, and not all of them are what the model takes."""
    base = next(iter(telling(signature, probes)))
    sizes = free_sizes(signature, base)
    seen = {kind for probe in probes for kind in _kinds(signature, probe)}
    for name in sizes:
        if _one(name) not in seen and sizes[name] > 1:
            yield _cut(signature, base, name, 1)
    for first, second in _pairs(signature):
        for less, more in ((first, second), (second, first)):
            if _less(less, more) not in seen and sizes[more] > 1:
                yield _cut(signature, base, less, min(sizes[less], sizes[more] // 2))


def telling(signature: SignatureRecord, probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The smallest probe of every kind, first of several rows: what is wrong of a free size is
    right of one row."""
    chosen: dict[Kind, Probe] = {}
    for probe in sorted(probes, key=lambda p: (p.cut, size_of(p))):
        for kind in _kinds(signature, probe):
            chosen.setdefault(kind, probe)
    ordered = sorted(chosen.items(), key=lambda item: item[0] != _SEVERAL)
    return tuple({probe.label: probe for _, probe in ordered}.values())


_SEVERAL: Kind = ("several rows",)


def _kinds(signature: SignatureRecord, probe: Probe) -> Iterator[Kind]:
    yield ("any",)
    sizes = free_sizes(signature, probe)
    rows = [len(a) for a in probe.inputs.values() if a.ndim]
    if rows and min(rows) > 1 and size_of(probe) <= LARGE:
        yield _SEVERAL
    if rows and min(rows) == 1:
        yield ("one row",)
    yield from (_one(name) for name, size in sizes.items() if size == 1)
    for first, second in _pairs(signature):
        if sizes[first] != sizes[second]:
            yield _less(*sorted((first, second), key=sizes.__getitem__))


def _one(name: str) -> Kind:
    return (name, "is 1")


def _less(less: str, more: str) -> Kind:
    return (less, "is less than", more)


def free_sizes(signature: SignatureRecord, probe: Probe) -> dict[str, int]:
    """Of every free dimension, by its name."""
    return {
        dimension(tensor, axis): probe.inputs[tensor.name].shape[axis]
        for tensor in signature.inputs
        for axis, size in enumerate(tensor.shape or ())
        if not isinstance(size, int)
    }


def _pairs(signature: SignatureRecord) -> list[tuple[str, str]]:
    """Free dimensions of one input, beside its rows."""
    found: dict[tuple[str, str], None] = {}
    for tensor in signature.inputs:
        free = (
            dimension(tensor, axis)
            for axis, size in enumerate(tensor.shape or ())
            if axis and not isinstance(size, int)
        )
        found.update(dict.fromkeys(itertools.combinations(dict.fromkeys(free), 2)))
    return list(found)


def _cut(signature: SignatureRecord, probe: Probe, name: str, size: int) -> Probe:
    """`probe` with the first `size` places of every dimension that has that name."""
    inputs = dict(probe.inputs)
    for tensor in signature.inputs:
        for axis, n in enumerate(tensor.shape or ()):
            if not isinstance(n, int) and dimension(tensor, axis) == name:
                inputs[tensor.name] = inputs[tensor.name].take(range(size), axis)
    label = f"{probe.label} cut to {name}={size}"
    return replace(probe, label=label, inputs=inputs, reference={}, golden=None, cut=True)


def size_of(probe: Probe) -> int:
    return sum(a.size for a in probe.inputs.values())

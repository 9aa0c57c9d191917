"""Probes at the edges: negative and large integers, floats far from zero.

Seeded probes are what training data looks like. Converters go wrong where those are not: a division
that cuts towards zero, a softplus that overflows at 90. What the model refuses, or answers with
NaN, is no input of it and is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.inputs.sizes import integers_make_sizes
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.numbers import nan_count
from ckpt_action.engine.records import TracedModel
from ckpt_action.errors import Severity

_SMALL = (-1, 2, -3, 5, -7, 8, -2, 3)
_INT32 = 2**31 - 1
_LARGE = (-100_003, 100_003, 70_001, _INT32, -_INT32, 2**30 + 7, -(2**30), -70_001)
_BEYOND = (2**31, -(2**31) - 5, 2**32 + 5, 2**40 + 1, -(2**35))
_NARROW = (-1, 2, 120, -127, 30_000, -32_767, 250, 65_000)
_REALS = (-1.0, 1.0, -0.3, 0.3, 0.0)


@dataclass(frozen=True, kw_only=True)
class _Edge:
    label: str
    values: Sequence[float]
    kinds: str
    """Of numpy's dtypes."""
    severity: Severity = Severity.ERROR
    sizes: bool = False
    """Left out where integers of the input become sizes, which would take all memory."""


_EDGES: tuple[tuple[_Edge, ...], ...] = (
    (_Edge(label="small negative integers", values=_SMALL, kinds="i"),),
    (
        _Edge(label="integers up to 2**31", values=_LARGE, kinds="iu", sizes=True),
        _Edge(label="integers up to 65000", values=_NARROW, kinds="iu", sizes=True),
    ),
    (
        _Edge(
            label="integers beyond 2**31",
            values=_BEYOND,
            kinds="i",
            severity=Severity.WARNING,
            sizes=True,
        ),
    ),
    (
        _Edge(label="floats up to ±100", values=[100 * x for x in _REALS], kinds="fcV"),
        _Edge(label="floats up to ±30", values=[30 * x for x in _REALS], kinds="fcV"),
        _Edge(label="floats from 0 to 100", values=[abs(100 * x) for x in _REALS], kinds="fcV"),
    ),
    (
        _Edge(
            label="floats up to ±1000",
            values=[1000 * x for x in _REALS],
            kinds="fcV",
            severity=Severity.WARNING,
        ),
    ),
)
"""Of each group the first that the model takes."""


def edge_probes(model: TracedModel, probes: Sequence[Probe], seed: int) -> tuple[Probe, ...]:
    """Probes with outputs, each of the size of one of `probes`."""
    found = []
    for traced in model.signatures:
        own = [p for p in probes if p.signature == traced.record.name and _ordinary(p)]
        if not own:
            continue
        live = LiveSignature(traced)
        base = _base(own)
        grows = integers_make_sizes(traced.function)
        for number, group in enumerate(_EDGES):
            edges = [e for e in group if not (e.sizes and grows)]
            found += list(_of_group(live, edges, base, [seed, number]))
    return tuple(found)


def _ordinary(probe: Probe) -> bool:
    return not probe.cut and not probe.beside


def _of_group(
    live: LiveSignature, edges: Sequence[_Edge], base: Probe, seed: Sequence[int]
) -> Iterator[Probe]:
    """All inputs at once; where the model refuses that, as an embedding beside a timestamp does,
    each one alone."""
    taken = _first_taken(live, (_draw(e, base, seed, base.inputs) for e in edges))
    if taken:
        yield taken
        return
    names = {name for e in edges for name in base.inputs if _changes(e, base.inputs[name])}
    if len(names) > 1:
        for name in sorted(names):
            alone = _first_taken(live, (_draw(e, base, seed, [name]) for e in edges))
            if alone:
                yield replace(alone, label=f"{alone.label}, {name} alone")


def _base(probes: Sequence[Probe]) -> Probe:
    """The smallest that has room for every value; else the largest."""
    by_size = sorted(probes, key=size_of)
    roomy = (p for p in by_size if all(a.size >= len(_SMALL) for a in p.inputs.values()))
    return next(roomy, by_size[-1])


def _draw(edge: _Edge, base: Probe, seed: Sequence[int], names: Collection[str]) -> Probe | None:
    """None where `edge` changes none of the inputs `names`."""
    generator = np.random.default_rng(seed)
    changed = {
        name: _filled(generator, edge, array)
        for name, array in base.inputs.items()
        if name in names and _changes(edge, array)
    }
    if not changed:
        return None
    severity = edge.severity if base.golden is None else Severity.WARNING
    label = f"{edge.label}, on {base.label}"
    inputs = {**base.inputs, **changed}
    return Probe(signature=base.signature, label=label, inputs=inputs, edge=severity)


def _changes(edge: _Edge, array: Array) -> bool:
    return bool(array.dtype.kind in edge.kinds and array.size and _in_range(edge, array))


def _in_range(edge: _Edge, array: Array) -> list[float]:
    if array.dtype.kind not in "iu":
        return list(edge.values)
    limits = np.iinfo(array.dtype)
    return [v for v in edge.values if limits.min < v <= limits.max]


def _filled(generator: np.random.Generator, edge: _Edge, array: Array) -> Array:
    """Every value in turn. Floats a little off, as what is round lies on the edge of a rounding."""
    values = np.array(_in_range(edge, array), None if array.dtype.kind in "iu" else np.float64)
    filled = np.resize(generator.permutation(values), array.shape)
    if array.dtype.kind not in "iu":
        filled = filled * generator.uniform(0.9, 1.0, array.shape)
    return np.asarray(filled.astype(array.dtype))


def _first_taken(live: LiveSignature, drawn: Iterator[Probe | None]) -> Probe | None:
    for probe in drawn:
        if probe is None:
            continue
        try:
            reference = live.run(probe.inputs)
        except (tf.errors.OpError, ValueError):
            continue
        if live.random and not live.repeats(probe.inputs, reference):
            continue
        if not any(map(nan_count, reference.values())):
            return replace(probe, reference=reference)
    return None

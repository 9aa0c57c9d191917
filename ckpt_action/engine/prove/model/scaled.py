"""Probes in which every column of the inputs moves the outputs, for weights in fewer bits.

Seeded values are all about 1. Where real ones are not, as a year's income beside a rate, the
weights of the income are a thousandth of the others: no seeded probe feels them, and few bits do
not hold them. So such columns are made larger, by powers of ten, until they move the outputs as the
others do. A column that never mattered looks the same; which it is only real rows tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.cuts import size_of
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.inputs.sizes import floats_make_sizes
from ckpt_action.engine.prove.model.felt import Column, Felt, place, times
from ckpt_action.engine.prove.model.live import LiveSignature
from ckpt_action.engine.prove.model.numbers import nan_count
from ckpt_action.engine.prove.model.rows import have_rows
from ckpt_action.engine.prove.outputs.spread import inexact, spread
from ckpt_action.engine.records import TracedModel

_NAMED = 5
"""Columns that are named; of more, the first ones."""


def scaled_probes(model: TracedModel, probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """One with outputs for each signature that has columns which are not felt as they were drawn;
    `probes` are the ordinary ones."""
    found = []
    for traced in model.signatures:
        if floats_make_sizes(traced.function):
            continue  # made larger, they would take all time or memory
        own = [p for p in probes if p.signature == traced.record.name]
        recorded = any(p.golden is not None for p in own)
        drawn = [p for p in own if not p.cut and (p.beside or not recorded)]
        if drawn and (probe := _scaled(LiveSignature(traced), drawn)):
            found.append(probe)
    return tuple(found)


def _scaled(live: LiveSignature, drawn: Sequence[Probe]) -> Probe | None:
    base = min(drawn, key=size_of)
    outputs = {n: [p.reference[n] for p in drawn] for n, a in base.reference.items() if inexact(a)}
    powers = Felt(live, base, {n: spread(arrays) for n, arrays in outputs.items()}).powers()
    if not powers:
        return None
    inputs = _rows_of(live, drawn)
    for column, power in powers.items():
        array = inputs[column.input] = inputs[column.input].copy()
        at = place(array, column)
        array[at] = times(array[at], 10.0**power)
    reference = live.run(inputs)
    if any(map(nan_count, reference.values())):
        return None
    return Probe(
        signature=base.signature,
        label="scaled columns",
        inputs=inputs,
        reference=reference,
        scaled=_words(base, powers),
    )


def _rows_of(live: LiveSignature, drawn: Sequence[Probe]) -> dict[str, Array]:
    """All that were drawn in one call, where only their rows are of different numbers."""
    largest = max(drawn, key=size_of).inputs
    alike = all(p.inputs[n].shape[1:] == a.shape[1:] for p in drawn for n, a in largest.items())
    if not have_rows(live.record) or not alike:
        return dict(largest)
    return {n: np.concatenate([p.inputs[n] for p in drawn]) for n in largest}


def _words(base: Probe, powers: Mapping[Column, int]) -> str:
    """`columns 2, 5 of input 'x' (up to 1e6 times as large as drawn)`, and the same of others."""
    each = []
    for name in dict.fromkeys(column.input for column in powers):
        own = {c.at: power for c, power in sorted(powers.items()) if c.input == name}
        where = f"{_places(list(own))} of " if base.inputs[name].ndim > 1 else ""
        each.append(f"{where}input {name!r} (up to 1e{max(own.values())} times as large as drawn)")
    return ", ".join(each)


def _places(places: Sequence[int]) -> str:
    more = len(places) - _NAMED
    shown = ", ".join(map(str, places[:_NAMED])) + (f" and {more} more" if more > 0 else "")
    return f"column{'s' if len(places) > 1 else ''} {shown}"

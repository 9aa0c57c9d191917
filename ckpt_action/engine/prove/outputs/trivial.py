"""Answers that need no model: where one of them passes, the comparison has shown nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.spread import Key, expected, first_mark
from ckpt_action.outcome import OutputVerdict
from ckpt_action.verify import compare


def trivially_passed(
    probes: Sequence[Probe], verdicts: Sequence[OutputVerdict], *, loosened: bool
) -> dict[Key, str]:
    """What would have passed too on all probes of an output, under the tolerances of `verdicts`.

    An output that is one constant is as it is, and says nothing against a tolerance; it does where
    that was `loosened` for values that are stored or computed otherwise.
    """
    judged: dict[Key, list[OutputVerdict]] = {}
    for verdict in verdicts:
        judged.setdefault((verdict.signature, verdict.output), []).append(verdict)
    found = dict.fromkeys(_empty(probes), "it is empty on every probe")
    for key, arrays in expected(probes).items():
        used = [v for v in judged.get(key, ()) if v.rtol is not None and v.atol is not None]
        if not used or key in found:
            continue
        rtol, atol = max(v.rtol or 0.0 for v in used), max(v.atol or 0.0 for v in used)
        for what, answer in _answers(arrays, repeated=_is_one_row(probes, key)):
            if not loosened and _passes(arrays, answer, 0.0, 0.0):
                continue
            if _passes(arrays, answer, rtol, atol):
                found[key] = what
                break
    return found


def _empty(probes: Sequence[Probe]) -> list[Key]:
    """Outputs of every dtype without a value to compare, as of a detector that finds nothing."""
    sizes: dict[Key, int] = {}
    for probe in probes:
        for name, array in (probe.reference or probe.golden or {}).items():
            key = probe.signature, name
            sizes[key] = sizes.get(key, 0) + array.size
    return [key for key, size in sizes.items() if not size]


def in_words(found: Mapping[Key, str]) -> str:
    each = (
        f"output {name!r} of signature {signature!r} ({what})"
        for (signature, name), what in found.items()
    )
    return f"not shown: an answer without a model would pass as well for {', '.join(each)}"


def _is_one_row(probes: Sequence[Probe], key: Key) -> bool:
    """Whether the rows of an output all belong to one row of the inputs, which is called again and
    again: their order is then no other."""
    signature, output = key
    own = [probe for probe in probes if probe.signature == signature]
    names = own[0].inputs.keys()
    if not names or not all(_repeats([p.inputs[name] for p in own]) for name in names):
        return False
    return all(
        len((p.reference or p.golden or {})[output]) == len(p.inputs[name])
        for p in own
        for name in names
    )


def _repeats(arrays: Sequence[Array]) -> bool:
    if not all(a.ndim and a.shape[1:] == arrays[0].shape[1:] and len(a) for a in arrays):
        return False
    return all(bool((a == arrays[0][:1]).all()) for a in arrays)


def _answers(arrays: Sequence[Array], *, repeated: bool) -> Iterator[tuple[str, list[Array]]]:
    """Infinities, NaN and marks such as -1e9 are where they are in each of them."""
    end = first_mark(arrays)
    plain = [np.isfinite(a) & (np.abs(a.astype(np.complex128)) < end) for a in arrays]
    chosen = [a[p].astype(np.complex128) for a, p in zip(arrays, plain, strict=True)]
    values = np.concatenate(chosen)
    if not values.size:
        return
    mean = values.mean() if arrays[0].dtype.kind == "c" else values.real.mean()
    if (values != 0).any():
        yield "zeros", _filled(arrays, plain, 0.0)
    yield "their mean", _filled(arrays, plain, mean)
    rows = [] if repeated else _next_rows(arrays)
    if rows and not _passes(arrays, rows, 0.0, 0.0):
        yield "the rows in another order", rows


def _filled(arrays: Sequence[Array], plain: Sequence[Array], value: complex) -> list[Array]:
    return [np.where(p, np.asarray(value, a.dtype), a) for a, p in zip(arrays, plain, strict=True)]


def _next_rows(arrays: Sequence[Array]) -> list[Array]:
    """Every row in the place of the one before; empty where there are no rows of one shape."""
    if any(not a.ndim for a in arrays) or len({a.shape[1:] for a in arrays}) > 1:
        return []
    ends = np.cumsum([len(a) for a in arrays])[:-1]
    return np.split(np.roll(np.concatenate(arrays), -1, axis=0), ends)


def _passes(arrays: Sequence[Array], answer: Sequence[Array], rtol: float, atol: float) -> bool:
    return all(
        compare(want, have, rtol=rtol, atol=atol).passed
        for want, have in zip(arrays, answer, strict=True)
    )

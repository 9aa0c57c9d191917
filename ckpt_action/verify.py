"""Does one array say the same as another: the comparison behind every `OutputVerdict`.

Defaults, where the user declares none, as (rtol, atol) of `|actual - expected| <= atol + rtol *
|expected|`, the inequality of `numpy.isclose` with `expected` as its second argument:

| dtype            | artifact against reference | against golden values |
|------------------|----------------------------|-----------------------|
| float32, float64 | 1e-5, 1e-6                 | 1e-4, 1e-5            |
| float16          | 5e-3, 1e-3                 | 1e-2, 5e-3            |
| bfloat16         | 4e-2, 1e-2                 | 5e-2, 2e-2            |

The reference is computed on the same machine by the same TensorFlow, so only the order of
additions may differ. Golden values come from other versions and other processors. The narrow types
are about five units of their own precision (2**-10 and 2**-7). A declared `rtol` or `atol`
replaces the default in both columns. Integers, booleans and strings have no tolerance.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ckpt_action.outcome import OutputVerdict

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Against = Literal["reference", "golden"]

_DEFAULTS: dict[tuple[str, Against], tuple[float, float]] = {
    ("float16", "reference"): (5e-3, 1e-3),
    ("float16", "golden"): (1e-2, 5e-3),
    ("bfloat16", "reference"): (4e-2, 1e-2),
    ("bfloat16", "golden"): (5e-2, 2e-2),
}
_WIDE: dict[Against, tuple[float, float]] = {"reference": (1e-5, 1e-6), "golden": (1e-4, 1e-5)}


def tolerances(
    dtype: str, against: Against, *, rtol: float | None, atol: float | None
) -> tuple[float, float]:
    """(rtol, atol) for a floating or complex `dtype`; a declared value wins over the default."""
    default_rtol, default_atol = _DEFAULTS.get((dtype, against), _WIDE[against])
    return (
        default_rtol if rtol is None else rtol,
        default_atol if atol is None else atol,
    )


def agreeing_rows(verdicts: Iterable[OutputVerdict]) -> tuple[int, int]:
    """In how many rows of scores the model's class wins, and how many there are."""
    rows = [
        (v.agreement, math.prod(v.shape[:-1]))
        for v in verdicts
        if v.against == "reference" and v.agreement is not None
    ]
    same = round(sum(part * count for part, count in rows))
    return same, sum(count for _, count in rows)


def compare(
    expected: Array,
    actual: Array,
    *,
    against: Against = "reference",
    rtol: float | None = None,
    atol: float | None = None,
) -> OutputVerdict:
    """The verdict on `actual`: dtype, then shape, then every value. The caller adds the names.

    A NaN passes only where `expected` is NaN at the same place, an infinity only against the same
    infinity. Differences are reported over the places where both are finite; `worst_index` is the
    place that exceeds its tolerance most, or comes closest to it.
    """
    verdict = OutputVerdict(
        signature="",
        output="",
        against=against,
        probe="",
        dtype=str(actual.dtype),
        shape=tuple(actual.shape),
        passed=False,
    )
    if actual.dtype != expected.dtype:
        return replace(verdict, reason=f"dtype {actual.dtype}, expected {expected.dtype}")
    if actual.shape != expected.shape:
        return replace(
            verdict, reason=f"shape {list(actual.shape)}, expected {list(expected.shape)}"
        )
    if not _inexact(expected):
        return _compare_exactly(verdict, expected, actual)
    pair = tolerances(str(expected.dtype), against, rtol=rtol, atol=atol)
    return _compare_closely(verdict, expected, actual, rtol=pair[0], atol=pair[1])


def _inexact(array: Array) -> bool:
    # bfloat16 and its relatives are numpy extension types of kind "V".
    return array.dtype.kind in "fc" or "float" in array.dtype.name


def _compare_exactly(verdict: OutputVerdict, expected: Array, actual: Array) -> OutputVerdict:
    import numpy as np

    different = np.atleast_1d(np.asarray(expected != actual, dtype=bool))
    count = int(different.sum())
    if not count:
        return replace(verdict, passed=True)
    first = _index(int(different.argmax()), expected.shape)
    return replace(
        verdict,
        worst_index=first,
        reason=f"{count} of {different.size} values differ, the first at {list(first)}: "
        f"{actual[first]!r}, expected {expected[first]!r}",
    )


def _compare_closely(
    verdict: OutputVerdict, expected: Array, actual: Array, *, rtol: float, atol: float
) -> OutputVerdict:
    import numpy as np

    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    want, have = expected.astype(wide), actual.astype(wide)
    nan, want_nan = np.isnan(have), np.isnan(want)
    finite = np.isfinite(want) & np.isfinite(have)
    with np.errstate(all="ignore"):  # places that are not finite are judged apart
        same = (nan & want_nan) | (have == want)
        difference = np.where(finite, np.abs(have - want), 0.0)
        allowed = np.where(finite, atol + rtol * np.abs(want), 0.0)
        close = np.where(finite, difference <= allowed, same)
        relative = np.where(finite & (want != 0), difference / np.abs(want), 0.0)
    verdict = replace(
        verdict,
        passed=bool(close.all()),
        nan_count=int(nan.sum()),
        inf_count=int(np.isinf(have).sum()),
        rtol=rtol,
        atol=atol,
    )
    if want.size and finite.any():
        worst = int(np.where(finite, difference - allowed, -np.inf).argmax())
        verdict = replace(
            verdict,
            max_abs=_number(difference.max()),
            max_rel=_number(relative.max()),
            worst_index=_index(worst, want.shape),
        )
    return replace(verdict, reason=_reason(verdict, want_nan, nan, close))


def _reason(verdict: OutputVerdict, want_nan: Array, nan: Array, close: Array) -> str:
    import numpy as np

    if verdict.passed:
        return f"NaN at the same {verdict.nan_count} places" if verdict.nan_count else ""
    if (appeared := int((nan & ~want_nan).sum())) > 0:
        return f"NaN at {appeared} places where a number was expected"
    if (vanished := int((want_nan & ~nan).sum())) > 0:
        return f"a number at {vanished} places where NaN was expected"
    outside = int((~np.asarray(close)).sum())
    return f"{outside} of {close.size} values are outside the tolerance"


def _number(value: float) -> float:
    """JSON has no infinity, which the difference of two finite numbers can be."""
    return min(float(value), sys.float_info.max)


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    import numpy as np

    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()

"""Put the values into the variables, and prove that they are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array, shared_array
from ckpt_action.engine.restore.dtypes import widened
from ckpt_action.engine.restore.records import Candidate, LiveVariable, Source
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail, warning

_PIECE = 1 << 16
"""Elements."""


def fill(
    variables: Iterable[LiveVariable], bound: Sequence[Candidate], source: Source
) -> tuple[Problem, ...]:
    """Give each of `variables` its value; returns warnings.

    Raises RESTORE where one does not hold the file's bytes afterwards, or was forgotten, of
    whatever dtype. This is what poisoning every variable first would show, without a second pass
    over the weights (see docs/decisions.md).
    """
    proven, problems = assign(bound, source)
    forgotten = [live.path for live in variables if id(live.variable) not in proven]
    if forgotten:
        raise fail(
            ExitCode.RESTORE,
            f"{len(forgotten)} variables were left without a value: {', '.join(forgotten[:5])}.",
            hint="This is an error in ckpt-action; nothing was exported. Please report it.",
            details=forgotten,
        )
    return problems


def assign(bound: Sequence[Candidate], source: Source) -> tuple[set[int], tuple[Problem, ...]]:
    """Read, assign and read back one value after another.

    Returns the identities of the variables that were read back and hold the file's bytes, and
    warnings. Raises RESTORE where one does not hold them.
    """
    proven: set[int] = set()
    warnings: list[Problem] = []
    failures: list[Problem] = []
    widened_values: list[str] = []
    loaded = source.load([candidate.value.key for candidate in bound])
    for candidate, (value, array) in zip(bound, loaded, strict=True):
        live, stored = candidate.variable, candidate.value
        if stored.relayout is not None:
            value = array = stored.relayout(array)  # noqa: PLW2901
        if widened(stored.dtype, live.dtype):
            value = array = array.astype(live.variable.dtype.as_numpy_dtype)  # noqa: PLW2901
            widened_values.append(f"{live.path}: {stored.dtype} to {live.dtype}")
        live.variable.assign(value)
        if not _same_bytes(live.variable, array):
            failures.append(_unequal(candidate))
            continue
        proven.add(id(live.variable))
        if _may_not_be_finite(live.variable.dtype) and not _is_finite(array):
            warnings.append(_no_numbers(candidate, array))
    if failures:
        raise CkptActionError(*failures)
    if widened_values:
        warnings.append(_widened(widened_values))
    return proven, tuple(warnings)


def _may_not_be_finite(dtype: Any) -> bool:
    return bool(dtype.is_floating or dtype.is_complex)


def _same_bytes(variable: tf.Variable, array: Array) -> bool:
    if variable.dtype == tf.string:
        return bool(np.asarray(variable.numpy()).tolist() == array.tolist())
    held = shared_array(variable.read_value())
    if held.shape != array.shape or held.dtype != array.dtype.newbyteorder("="):
        return False
    return all(
        np.array_equal(left.view(np.uint8), right.view(np.uint8))
        for left, right in zip(_pieces(held), _pieces(array), strict=True)
    )


def _is_finite(array: Array) -> bool:
    return all(bool(np.isfinite(piece).all()) for piece in _pieces(array))


def _pieces(array: Array) -> Iterator[Array]:
    """Small enough that what is computed of one needs no memory to speak of."""
    flat = np.ascontiguousarray(array).reshape(-1)
    for start in range(0, flat.size, _PIECE):
        yield flat[start : start + _PIECE]


def _unequal(candidate: Candidate) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        message=f"{candidate.variable.path} does not hold the bytes of {candidate.value.key} "
        "after they were assigned.",
        hint="Something between the file and the variable changed them; nothing was exported.",
    )


def _no_numbers(candidate: Candidate, array: Array) -> Problem:
    nan = sum(int(np.isnan(piece).sum()) for piece in _pieces(array))
    infinite = sum(int(np.isinf(piece).sum()) for piece in _pieces(array))
    kinds = " and ".join(["NaN"] * bool(nan) + ["infinite values"] * bool(infinite))
    return warning(
        ExitCode.RESTORE,
        f"The checkpoint holds {kinds} in {candidate.value.path} "
        f"({nan + infinite} of {array.size} values of {candidate.variable.path}).",
        hint="Training had diverged when it was saved; choose an earlier step."
        + ("" if nan else " A mask may hold infinite values on purpose."),
    )


def _widened(values: list[str]) -> Problem:
    return warning(
        ExitCode.RESTORE,
        f"{len(values)} values were stored narrower than the model's variables and "
        f"widened without loss ({values[0]}{', …' if len(values) > 1 else ''}).",
        hint="Build the model with the dtype it was trained in if its arithmetic should be equal.",
        details=tuple(values),
    )

"""Put the values into the variables, and prove that they are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.restore.dtypes import widened
from ckpt_action.engine.restore.records import Candidate, LiveVariable, Source
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, fail


def poison(variables: Iterable[LiveVariable]) -> None:
    """Fill every float and complex variable with NaN: what restoring forgets cannot look right."""
    for live in variables:
        if _has_nan(live.variable.dtype):
            live.variable.assign(tf.cast(tf.fill(live.shape, float("nan")), live.variable.dtype))


def assign(bound: Iterable[Candidate], source: Source) -> tuple[Problem, ...]:
    """Read, assign and read back one value after another; returns warnings.

    Raises RESTORE where a variable does not hold the file's bytes afterwards.
    """
    warnings: list[Problem] = []
    failures: list[Problem] = []
    widened_values: list[str] = []
    for candidate in bound:
        live, value = candidate.variable, candidate.value
        array = source.read(value.key)
        if widened(value.dtype, live.dtype):
            array = array.astype(live.variable.dtype.as_numpy_dtype)
            widened_values.append(f"{live.path}: {value.dtype} to {live.dtype}")
        live.variable.assign(array)
        if not _same_bytes(live.variable, array):
            failures.append(_unequal(candidate))
        elif _has_nan(live.variable.dtype) and bool(np.isnan(array).any()):
            warnings.append(_nan_in_file(candidate, array))
    if failures:
        raise CkptActionError(*failures)
    if widened_values:
        warnings.append(_widened(widened_values))
    return tuple(warnings)


def check_poison(variables: Iterable[LiveVariable], bound: Iterable[Candidate]) -> None:
    """Raise where a variable that nothing was assigned to still holds NaN."""
    filled = {id(c.variable.variable) for c in bound}
    left = [
        live.path
        for live in variables
        if _has_nan(live.variable.dtype)
        and id(live.variable) not in filled
        and bool(np.isnan(live.variable.numpy()).any())
    ]
    if left:
        raise fail(
            ExitCode.RESTORE,
            f"{len(left)} variables were left without a value: {', '.join(left[:5])}.",
            details=left,
        )


def _has_nan(dtype: Any) -> bool:
    return bool(dtype.is_floating or dtype.is_complex)


def _same_bytes(variable: tf.Variable, array: Array) -> bool:
    held = np.asarray(variable.numpy())
    if held.dtype.hasobject or array.dtype.hasobject:
        return bool(held.tolist() == array.tolist())
    if held.shape != array.shape or held.dtype != array.dtype.newbyteorder("="):
        return False
    return np.ascontiguousarray(held).tobytes() == np.ascontiguousarray(array).tobytes()


def _unequal(candidate: Candidate) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        message=f"{candidate.variable.path} does not hold the bytes of {candidate.value.key} "
        "after they were assigned.",
        hint="Something between the file and the variable changed them; nothing was exported.",
    )


def _nan_in_file(candidate: Candidate, array: Array) -> Problem:
    count = int(np.isnan(array).sum())
    return Problem(
        code=ExitCode.RESTORE,
        severity=Severity.WARNING,
        message=f"The checkpoint holds NaN in {candidate.value.path} "
        f"({count} of {array.size} values of {candidate.variable.path}).",
        hint="Training had diverged when it was saved; choose an earlier step.",
    )


def _widened(values: list[str]) -> Problem:
    return Problem(
        code=ExitCode.RESTORE,
        severity=Severity.WARNING,
        message=f"{len(values)} values were stored narrower than the model's variables and "
        f"widened without loss ({values[0]}{', …' if len(values) > 1 else ''}).",
        hint="Build the model with the dtype it was trained in if its arithmetic should be equal.",
        details=tuple(values),
    )

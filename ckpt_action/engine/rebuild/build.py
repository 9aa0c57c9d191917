"""Call the model once per signature, so that every variable exists before anything is restored.

Keras 3 drops values that are restored into a model which is not built yet, without a word; a layer
that makes its variables in its first call has none before. The call itself must leave no trace:
state that it changed (of stateful recurrent layers, counters) is put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine.kerases import is_graph_model
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.rebuild.calling import possible_calls
from ckpt_action.engine.rebuild.user_code import describe_error
from ckpt_action.engine.records import Caller
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail

BATCH = 2
SIZES = (2, 8, 32, 64, 224)
"""Sizes tried for free dimensions behind the first: small is fast, but windows and strides may
leave nothing of a small image."""


def build(
    model: Any, signatures: Sequence[Signature], roots: Sequence[Path]
) -> Mapping[str, Caller]:
    """Signature name to the way that the model is called, every variable made.

    Raises CkptActionError (SIGNATURE) with one problem per signature that cannot be called.
    """
    callers: dict[str, Caller] = {}
    problems: list[Problem] = []
    with state_kept(model):
        for signature in signatures:
            try:
                callers[signature.name] = _find_caller(model, signature, roots)
            except CkptActionError as error:
                problems += error.problems
    if problems:
        raise CkptActionError(*problems)
    return callers


def is_run(model: Any, signature: Signature) -> bool:
    """Whether `build` has to run the model: a graph model is built, and tells how it is called."""
    return signature.method != "__call__" or not is_graph_model(model)


def sample_inputs(signature: Signature, free_size: int) -> dict[str, tf.Tensor]:
    """Zeros of the declared dtypes; a leading free dimension is `BATCH`, others `free_size`."""
    leading = {spec.shape[0] for spec in signature.inputs if spec.shape}
    return {
        spec.name: tf.zeros(
            [d if isinstance(d, int) else BATCH if d in leading else free_size for d in spec.shape],
            spec.dtype,
        )
        for spec in signature.inputs
    }


def _find_caller(model: Any, signature: Signature, roots: Sequence[Path]) -> Caller:
    calls = possible_calls(model, signature)
    if not is_run(model, signature):
        return calls[0]  # type: ignore[no-any-return]
    failures: list[tuple[str, BaseException]] = []
    has_free = any(isinstance(d, str) for spec in signature.inputs for d in spec.shape[1:])
    for size in SIZES if has_free else SIZES[:1]:
        working = []
        for call in calls:
            try:
                call(sample_inputs(signature, size))
                working.append(call)
            except Exception as error:  # noqa: BLE001  anything may come out of the user's code
                failures.append((f"free dimensions of size {size}", error))
        if working:
            _refuse_ambiguous(signature, working)
            return working[0]  # type: ignore[no-any-return]
    raise _cannot_call(signature, calls, failures, roots)


def _refuse_ambiguous(signature: Signature, working: Sequence[Any]) -> None:
    """A list in declared order and a dict in sorted order must not mean different things."""
    names = [spec.name for spec in signature.inputs]
    if len(working) > 1 and names != sorted(names):
        raise fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: the model takes its inputs both as a list "
            f"({', '.join(names)}) and as a dict (whose order is {', '.join(sorted(names))}), and "
            "nothing tells which one it was trained with.",
            hint="Give the model a method with one parameter per input and name it as `method`.",
        )


def _cannot_call(
    signature: Signature,
    calls: Sequence[Any],
    failures: Sequence[tuple[str, BaseException]],
    roots: Sequence[Path],
) -> CkptActionError:
    shown = ", ".join(
        f"{spec.name}: {spec.dtype}[{', '.join(map(str, spec.shape))}]" for spec in signature.inputs
    )
    if not calls:
        return fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: `{signature.method}` does not take "
            f"{len(signature.inputs)} inputs ({shown}).",
            hint="Name the inputs as its parameters.",
        )
    text, where, details = describe_error(failures[0][1], roots)
    others = [f"{attempt}: {describe_error(error, roots)[0]}" for attempt, error in failures[1:]]
    return fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name}: calling `{signature.method}` with {shown} failed: {text}",
        hint="Check the declared inputs: names, order, dtypes, shapes"
        + (f" (tried {len(failures)} sizes and ways of passing them)." if others else "."),
        where=where,
        details=(*details, *others),
    )


@contextmanager
def state_kept(model: Any) -> Iterator[None]:
    """Put back every variable that changes inside, those first made inside too."""
    before = {id(v): (v, v.read_value()) for _, v in reachable_variables(model)}

    def remember(next_creator: Any, **kwargs: Any) -> Any:
        variable = next_creator(**kwargs)
        if tf.executing_eagerly():
            before[id(variable)] = (variable, variable.read_value())
        return variable

    with tf.variable_creator_scope(remember):
        yield
    for variable, value in before.values():
        if not _same(value, variable.read_value()):
            variable.assign(value)


def _same(old: tf.Tensor, new: tf.Tensor) -> bool:
    """Whether nothing was written: the same memory, else (written anew) the same bytes."""
    left, right = np.asarray(old), np.asarray(new)
    if left.dtype == object or left.size == 0:
        return bool(np.array_equal(left, right))
    if left.__array_interface__["data"] == right.__array_interface__["data"]:
        return True
    return left.tobytes() == right.tobytes()

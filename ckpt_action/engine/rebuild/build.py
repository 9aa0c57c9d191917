"""Call the model once per signature, so that every variable exists before anything is restored.

Keras 3 drops values that are restored into a model which is not built yet, without a word; a layer
that makes its variables in its first call has none before. The call itself must leave no trace:
state that it changed (of stateful recurrent layers, counters) is put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import product
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Model, Signature
from ckpt_action.engine.arrays import same_value
from ckpt_action.engine.keras_versions import is_graph_model
from ckpt_action.engine.objects import reachable_variables
from ckpt_action.engine.rebuild.calling import GraphModelCall, possible_calls
from ckpt_action.engine.rebuild.own_inputs import other_dtypes
from ckpt_action.engine.rebuild.packed import packed_notes
from ckpt_action.engine.rebuild.renamed import renamed_note
from ckpt_action.engine.rebuild.unbuilt import has_unbuilt
from ckpt_action.engine.records import Caller
from ckpt_action.engine.user_code import describe_error
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail

BATCH = 2
SIZES = (2, 8, 32, 64, 224)
"""Sizes tried for free dimensions behind the first: small is fast, but windows and strides may
leave nothing of a small image."""
TEXTS = ("", "a")
"""Tried for strings: a serialised message may be empty, a sentence that is split may not."""


def build(
    model: Any, signatures: Sequence[Signature], roots: Sequence[Path], of: Model
) -> tuple[Mapping[str, Caller], tuple[Any, ...], tuple[Problem, ...]]:
    """Signature name to the way that the model is called, every variable made; the variables
    that calling it wrote, which is put back; and notes.

    Raises CkptActionError (SIGNATURE) with one problem per signature that cannot be called.
    """
    callers: dict[str, Caller] = {}
    problems: list[Problem] = []
    notes: list[Problem] = []
    runs = any(is_run(model, signature) for signature in signatures)
    kept: AbstractContextManager[list[Any]] = state_kept(model) if runs else nullcontext([])
    with kept as written:
        for signature in signatures:
            try:
                caller = _find_caller(model, signature, roots)
                callers[signature.name] = caller
                notes += renamed_note(signature, caller.taken_as)
                if of.signatures:
                    golden = of.verify.golden is not None
                    notes += packed_notes(signature, caller.packed, golden=golden)
                if isinstance(caller, GraphModelCall):
                    notes += other_dtypes(signature, caller.pairs(signature), model)
            except CkptActionError as error:
                problems += error.problems
    if problems:
        raise CkptActionError(*problems)
    return callers, tuple(written), tuple(notes)


def is_run(model: Any, signature: Signature) -> bool:
    """Whether `build` has to run the model: a graph model is built, and tells how it is called."""
    return signature.method != "__call__" or not is_graph_model(model) or has_unbuilt(model)


def sample_inputs(signature: Signature, free_size: int, text: str = "") -> dict[str, tf.Tensor]:
    """Zeros of the declared dtypes, `text` for strings; a leading free dimension is `BATCH`,
    others `free_size`."""
    leading = {spec.shape[0] for spec in signature.inputs if spec.shape}
    return {
        spec.name: tf.fill(
            [d if isinstance(d, int) else BATCH if d in leading else free_size for d in spec.shape],
            text if spec.dtype == "string" else tf.zeros((), spec.dtype),
        )
        for spec in signature.inputs
    }


def _find_caller(model: Any, signature: Signature, roots: Sequence[Path]) -> Any:
    calls = possible_calls(model, signature)
    if not is_run(model, signature):
        return calls[0]
    failures: list[tuple[str, BaseException]] = []
    has_free = any(isinstance(d, str) for spec in signature.inputs for d in spec.shape[1:])
    has_text = any(spec.dtype == "string" for spec in signature.inputs)
    sizes = SIZES if has_free else SIZES[:1]
    for text, size in product(TEXTS if has_text else TEXTS[:1], sizes):
        working = []
        for call in calls:
            try:
                call(sample_inputs(signature, size, text))
                working.append(call)
            except Exception as error:  # noqa: BLE001  anything may come out of the user's code
                failures.append((f"free dimensions of size {size}", error))
        if working:
            _refuse_ambiguous(signature, working)
            return working[0]
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
def state_kept(model: Any) -> Iterator[list[Any]]:
    """Put back every variable that changes inside, those first made inside too, and list them."""
    written: list[Any] = []
    before = {id(v): (v, v.read_value()) for _, v in reachable_variables(model)}

    def remember(next_creator: Any, **kwargs: Any) -> Any:
        variable = next_creator(**kwargs)
        if tf.executing_eagerly():
            before[id(variable)] = (variable, variable.read_value())
        return variable

    with tf.variable_creator_scope(remember):
        yield written
    for variable, value in before.values():
        if not same_value(value, variable.read_value()):
            variable.assign(value)
            written.append(variable)

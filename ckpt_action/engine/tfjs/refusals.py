"""What TensorFlow.js cannot hold or run, found before a byte is written, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from ckpt_action.engine.prepare.editor import value_of
from ckpt_action.engine.some_of import some_of
from ckpt_action.engine.tfjs.ignored import ignored
from ckpt_action.engine.tfjs.lists import writes_in_branches
from ckpt_action.engine.tfjs.supported import supported
from ckpt_action.engine.tfjs.tables import unreadable_tables
from ckpt_action.errors import ExitCode, Problem, note

NARROWED = ("int64", "uint8", "int8")
"""Dtypes that TensorFlow.js takes and computes as int32."""
_KNOWN = {
    types_pb2.DT_FLOAT, types_pb2.DT_INT32, types_pb2.DT_BOOL, types_pb2.DT_STRING,
    types_pb2.DT_COMPLEX64, types_pb2.DT_VARIANT, types_pb2.DT_RESOURCE,
    *(tf.as_dtype(name).as_datatype_enum for name in NARROWED),
}  # fmt: skip


def refuse_nodes(graph: Any) -> Iterator[Problem]:
    """Ops, dtypes and values that have no place in TensorFlow.js."""
    known = supported()
    unknown: dict[str, list[str]] = {}
    dtypes: dict[str, list[str]] = {}
    for body, nodes in _bodies(graph):
        for node in nodes:
            if node.op not in known.ops:
                unknown.setdefault(node.op, []).append(_place(body, node))
            for enum in sorted(_dtypes(node) - _KNOWN):
                dtypes.setdefault(tf.as_dtype(enum).name, []).append(_place(body, node))
            if node.op == "Const" and not _fits(node):
                yield _refusal(
                    f"{_place(body, node)} holds integers beyond 32 bits, which it computes with.",
                    "Export this model as `saved-model`.",
                )
    for place in writes_in_branches(graph):
        yield _refusal(
            f"branch {place!r} writes into a list (`TensorArray`), which it forgets.",
            "Write outside of the branch, with `tf.where` to choose what.",
        )
    yield from _refuse_ignored(graph)
    if unknown:
        ops = "; ".join(f"{op}, from {some_of(unknown[op])}" for op in sorted(unknown))
        yield _refusal(
            f"it has no op {ops} ({known.package} {known.version}).",
            "Move that part out of the exported method, or build the model without it for the web.",
        )
    for dtype, places in sorted(dtypes.items()):
        yield _refusal(
            f"it does not compute with {dtype}, as {some_of(places)} does.",
            "Build the model with the dtype policy `float32`; checkpoints of mixed precision hold "
            "float32 anyway.",
        )


def _refuse_ignored(graph: Any) -> Iterator[Problem]:
    found: dict[str, list[str]] = {}
    for what, place in ignored(graph):
        found.setdefault(what, []).append(repr(place))
    for what, places in found.items():
        yield _refusal(
            f"it {what}, which {some_of(places)} asks for.",
            "Build the model without it for the web.",
        )


def refuse_tables(graph: Any, filled: Any) -> Iterator[Problem]:
    """`filled`: the graph that fills the tables of `graph`."""
    for what in unreadable_tables(graph, filled):
        yield _refusal(what, "Look up outside of the exported method.")
    yield from refuse_nodes(filled)


def narrowed(graph: Any) -> Iterator[Problem]:
    """A note where integers of other widths become int32."""
    used = {tf.as_dtype(d).name for _, nodes in _bodies(graph) for n in nodes for d in _dtypes(n)}
    found = [name for name in NARROWED if name in used]
    if found:
        yield note(
            ExitCode.OK,
            f"TensorFlow.js computes {' and '.join(found)} as int32: feed int32, and "
            "expect no wrapping around.",
        )


def _bodies(graph: Any) -> Iterator[tuple[str, Iterable[Any]]]:
    yield "", graph.node
    yield from ((function.signature.name, function.node_def) for function in graph.library.function)


def _dtypes(node: Any) -> set[int]:
    found: set[int] = set()
    for value in node.attr.values():
        found |= {value.type} if value.type else set(value.list.type)
    return found


def _fits(node: Any) -> bool:
    if node.attr["dtype"].type != types_pb2.DT_INT64:
        return True
    value, limits = value_of(node), np.iinfo(np.int32)
    return not value.size or bool(limits.min <= value.min() and value.max() <= limits.max)


def _place(body: str, node: Any) -> str:
    return f"{node.name!r}" + (f" in function {body!r}" if body else "")


def _refusal(message: str, hint: str) -> Problem:
    return Problem(
        code=ExitCode.TARGET, message=f"TensorFlow.js cannot hold this model: {message}", hint=hint
    )

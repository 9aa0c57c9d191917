"""Where two traces of one function differ, if they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array, shared_array


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place in which the second trace is not the first."""

    node: str
    """Name of the first one's node, or of what stands for a capture; may be empty."""
    constant: Array | None = None
    """The first one's value, where that is what differs."""


@dataclass(frozen=True, kw_only=True)
class _Node:
    name: str
    definition: Any
    canonical: bytes


def difference(first: Any, second: Any, same: Mapping[int, int] | None = None) -> Difference | None:
    """None where both concrete functions have equal graphs and read equal values.

    `same` maps identities of handles that the first one captures to those that stand for them in
    the second one; without it they are the same objects. Names are counted by TensorFlow and Keras
    through the whole process: here nodes and functions are counted in the order in which the graph
    meets them. Attributes with a leading underscore are notes of TensorFlow to itself, and
    messages name the place in the code.
    """
    ours, theirs = first.graph.captures, second.graph.captures
    for (outer, inner), (other, _) in zip(ours, theirs, strict=False):
        if not _same_value(outer, other, same):
            value = None if outer.dtype in (tf.resource, tf.variant) else shared_array(outer)
            return Difference(node=inner.op.name, constant=value)
    for one, two in zip_longest(_nodes(first), _nodes(second)):
        if one is None or two is None or one.canonical != two.canonical:
            return _at(one or two, two)
    return None if len(ours) == len(theirs) else Difference(node="")


def _at(one: _Node, two: _Node | None) -> Difference:
    constants = [
        n.definition for n in (one, two) if n and getattr(n.definition, "op", "") == "Const"
    ]
    value = tf.make_ndarray(constants[0].attr["value"].tensor) if len(constants) == 2 else None
    return Difference(node=one.name, constant=value)


def _same_value(first: Any, second: Any, same: Mapping[int, int] | None) -> bool:
    if first is second:
        return True
    if first.dtype != second.dtype:
        return False
    if first.dtype in (tf.resource, tf.variant):
        return same is not None and same.get(id(first)) == id(second)
    return bool(np.array_equal(shared_array(first), shared_array(second)))


def _nodes(function: Any) -> Iterator[_Node]:
    definition = function.graph.as_graph_def()
    library = {f.signature.name: f for f in definition.library.function}
    order: dict[str, int] = {}
    outputs = [tensor.name for tensor in function.graph.outputs]
    yield from _body(definition.node, [], outputs, library, order)
    done = 0
    while done < len(order):  # bodies name further functions
        body = library[list(order)[done]]
        arguments = [argument.name for argument in body.signature.input_arg]
        returned = [body.ret[argument.name] for argument in body.signature.output_arg]
        yield from _body(body.node_def, arguments, returned, library, order)
        done += 1


def _body(
    nodes: Sequence[Any],
    arguments: Sequence[str],
    returned: Sequence[str],
    library: Mapping[str, Any],
    order: dict[str, int],
) -> Iterator[_Node]:
    numbers = {name: i for i, name in enumerate([*arguments, *(node.name for node in nodes)])}
    for node in nodes:
        yield _Node(
            name=node.name, definition=node, canonical=_canonical(node, numbers, library, order)
        )
    results = " ".join(_numbered(reference, numbers) for reference in returned)
    yield _Node(name="", definition=None, canonical=results.encode())


def _canonical(
    node: Any, numbers: Mapping[str, int], library: Mapping[str, Any], order: dict[str, int]
) -> bytes:
    copy = type(node)()
    copy.CopyFrom(node)
    copy.ClearField("experimental_debug_info")
    copy.name = str(numbers[node.name])
    inputs = [_numbered(reference, numbers) for reference in node.input]
    waits = sorted(name for name in inputs if name.startswith("^"))  # TensorFlow sorts by name
    copy.input[:] = [*(name for name in inputs if not name.startswith("^")), *waits]
    for name in [name for name in copy.attr if name.startswith("_") or name == "message"]:
        del copy.attr[name]
    for name in sorted(copy.attr):
        value = copy.attr[name]
        for function in (value.func, *value.list.func) if value.WhichOneof("value") else ():
            if function.name in library:
                function.name = str(order.setdefault(function.name, len(order)))
    if node.op in library:
        copy.op = str(order.setdefault(node.op, len(order)))
    data: bytes = copy.SerializeToString(deterministic=True)
    return data


def _numbered(reference: str, numbers: Mapping[str, int]) -> str:
    """`^name`, `name:0` or `name:output:0` with the number in place of the name."""
    name, separator, place = reference.lstrip("^").partition(":")
    return f"{reference[: reference.startswith('^')]}{numbers[name]}{separator}{place}"

"""The values that a loop carries, in an order of their own: the converter takes them now in one
order and now in another.

Every value gets a label that says how it is computed, whatever names and places are; the values of
a loop are sorted by theirs. What a loop's own values are is found in rounds: at first by what they
begin with and who reads them, then by what becomes of them in the body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ckpt_action.engine.onnx_graph.copies import bodies, copied, replace_all
from ckpt_action.engine.onnx_graph.order import needed

_BEFORE = 2
"""Inputs of a loop, and of its body, before those that are carried: a number, and a condition."""

Labels = dict[str, str]
"""Name of a value to its label."""


def order_carried(graph: Any, names: Mapping[str, str]) -> None:
    """Of all loops in `graph`, which is changed in place. `names`: the declared ones of its inputs,
    by those that it has."""
    if _has_loops(graph):
        _order_bodies(graph)
        _label(graph, {v.name: _digest("input", names[v.name]) for v in graph.input})


def _has_loops(graph: Any) -> bool:
    return any(
        node.op_type == "Loop"
        or any(_has_loops(body) for a in node.attribute for body in bodies(a))
        for node in graph.node
    )


def _order_bodies(graph: Any) -> None:
    for node in graph.node:
        for attribute in node.attribute:
            for body in bodies(attribute):
                _order_bodies(body)
                replace_all(body.node, needed(body)[0])


def _label(graph: Any, known: Mapping[str, str]) -> Labels:
    """Labels of all values of `graph`, its loops put in order on the way."""
    labels = dict(known)
    for tensor in graph.initializer:
        labels[tensor.name] = _constant(tensor)
    for node in graph.node:  # each after what it reads
        if node.op_type == "Loop":
            _order(node, graph, labels)
        label = _digest(
            node.domain, node.op_type, *(labels.get(name, "") for name in node.input),
            *sorted(_attribute(a, labels) for a in node.attribute),
        )  # fmt: skip
        labels.update((name, _digest(label, str(i))) for i, name in enumerate(node.output) if name)
    return labels


def _order(loop: Any, graph: Any, labels: Labels) -> None:
    (body,) = (attribute.g for attribute in loop.attribute if attribute.name == "body")
    count = len(body.input) - _BEFORE
    found = [
        _digest(
            labels.get(loop.input[_BEFORE + i], ""),
            *_uses(graph, loop.output[i]),
            *_uses(body, body.input[_BEFORE + i].name),
        )
        for i in range(count)
    ]
    for _ in range(count):
        inner = _label(body, labels | _arguments(body, found))
        after = [inner[body.output[1 + i].name] for i in range(count)]
        found = [_digest(*pair) for pair in zip(found, after, strict=True)]
    order = sorted(range(count), key=found.__getitem__)
    for field, start in ((loop.input, 2), (loop.output, 0), (body.input, 2), (body.output, 1)):
        _permute(field, start, order)


def _permute(field: Any, start: int, order: Sequence[int]) -> None:
    items = [item if isinstance(item, str) else copied(item) for item in field]
    moved = [items[start + i] for i in order]
    replace_all(field, [*items[:start], *moved, *items[start + len(order) :]])


def _arguments(body: Any, carried: Sequence[str] = ()) -> Labels:
    """Labels of a body's inputs: of those that a loop carries what is known, of all else the
    place."""
    names = [value.name for value in body.input]
    first = len(names) - len(carried)
    return {
        name: _digest("argument", carried[i - first] if i >= first else str(i))
        for i, name in enumerate(names)
    }


def _uses(graph: Any, name: str) -> list[str]:
    """Who reads `name`, and at which place; and who reads what these make of it, to the end."""
    reached, found = {name} - {""}, []
    for node in graph.node:
        places = [str(place) for place, read in enumerate(node.input) if read in reached]
        if places:
            direct = [place for place, read in enumerate(node.input) if read == name]
            found.append(f"{node.op_type} {direct} {places}")
            reached |= {made for made in node.output if made}
    return sorted([*found, *("output" for value in graph.output if value.name == name)])


def _attribute(attribute: Any, labels: Labels) -> str:
    parts = [attribute.name]
    for body in bodies(attribute):
        inner = _label(body, labels | _arguments(body))
        parts += [inner.get(value.name, "") for value in body.output]
    if len(parts) > 1:
        return _digest(*parts)
    plain = copied(attribute)
    plain.doc_string = ""
    if plain.HasField("t"):
        return _digest(attribute.name, _constant(plain.t))
    return hashlib.sha256(plain.SerializeToString(deterministic=True)).hexdigest()


def _constant(tensor: Any) -> str:
    plain = copied(tensor)
    plain.name = plain.doc_string = ""
    return hashlib.sha256(plain.SerializeToString(deterministic=True)).hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()

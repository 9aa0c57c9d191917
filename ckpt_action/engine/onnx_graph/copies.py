"""Identity nodes, of which the converter leaves now one and now another: all taken out but those
that an output needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx import NodeProto


def without_copies(
    graph: Any, outer: Mapping[str, str] | None = None, *, body: bool = False
) -> None:
    """Let everything in `graph` read a value from where it is made.

    The first output that hands a value out is the value itself, a further one a copy of it. A
    model's output has to come from a node; a body may hand out what it was given.
    """
    same = dict(outer or {})
    """Name of a copy to the name of the value."""
    kept = []
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.op_type == "Identity" and not node.domain:
            same[node.output[0]] = node.input[0]
            continue
        for attribute in node.attribute:
            for inner in bodies(attribute):
                without_copies(inner, same, body=True)
        kept.append(node)
    free = {name for node in kept for name in node.output if name}
    free |= {value.name for value in graph.input} if body else set()
    for number, value in enumerate(graph.output):
        made = same.get(value.name, value.name)
        if made in free:
            free.remove(made)
            value.name = made
        else:
            value.name = f"{made}/copy/{number}"
            kept.append(NodeProto(op_type="Identity", input=[made], output=[value.name]))
    replace_all(graph.node, [copied(node) for node in kept])


def bodies(attribute: Any) -> tuple[Any, ...]:
    """The graphs that an attribute of a node holds."""
    return ((attribute.g,) if attribute.HasField("g") else ()) + tuple(attribute.graphs)


def copied(message: Any) -> Any:
    made = type(message)()
    made.CopyFrom(message)
    return made


def replace_all(field: Any, items: list[Any]) -> None:
    """Of a repeated field."""
    del field[:]
    field.extend(items)

"""Whether two traces of one function came out the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def same_trace(first: Any, second: Any) -> bool:
    """Whether two concrete functions have equal graphs and read equal values.

    TensorFlow counts the names of nested functions through the whole process: here they are
    counted in the order in which the graph meets them. Attributes with a leading underscore are
    notes of TensorFlow to itself.
    """
    ours, theirs = first.graph.captures, second.graph.captures
    return (
        len(ours) == len(theirs)
        and all(_same_value(a, b) for (a, _), (b, _) in zip(ours, theirs, strict=True))
        and _canonical(first.graph) == _canonical(second.graph)
    )


def _same_value(first: Any, second: Any) -> bool:
    if first is second:
        return True
    if first.dtype != second.dtype or first.dtype.name in ("resource", "variant"):
        return False
    return bool(np.array_equal(first.numpy(), second.numpy()))


def _canonical(graph: Any) -> list[bytes]:
    definition = graph.as_graph_def()
    library = {function.signature.name: function for function in definition.library.function}
    order: dict[str, int] = {}
    found = [_node(node, library, order) for node in definition.node]
    done = 0
    while done < len(order):  # bodies name further functions
        function = library[list(order)[done]]
        found += [_node(node, library, order) for node in function.node_def]
        found += [f"{key}={value}".encode() for key, value in sorted(function.ret.items())]
        done += 1
    return found


def _node(node: Any, library: Mapping[str, Any], order: dict[str, int]) -> bytes:
    copy = type(node)()
    copy.CopyFrom(node)
    for name in [name for name in copy.attr if name.startswith("_")]:
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

"""Which nodes a set of outputs needs, in an order that depends on the graph alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ckpt_action.engine.freeze.graph import producer

_BACK_EDGES = ("NextIteration", "RefNextIteration")


def needed(nodes: Iterable[Any], roots: Iterable[str]) -> list[Any]:
    """The nodes that `roots` are computed from, inputs before their readers.

    Several readers of `.pb` files take nodes in file order. Only a loop's back edge points
    forward. The order follows from `roots` and the nodes' inputs, not from the order of `nodes`.
    """
    by_name = {node.name: node for node in nodes}
    ordered: list[Any] = []
    started: set[str] = set()
    waiting = [producer(root) for root in roots]
    for root in waiting:  # grows: what enters a loop through its back edge comes last
        if root in started:
            continue
        started.add(root)
        stack: list[tuple[Any, Iterator[str]]] = [(by_name[root], _inputs(by_name[root]))]
        while stack:
            node, inputs = stack[-1]
            name = next((name for name in inputs if name not in started), None)
            if name is not None:
                started.add(name)
                stack.append((by_name[name], _inputs(by_name[name])))
                continue
            stack.pop()
            ordered.append(node)
            if node.op in _BACK_EDGES:
                waiting += [producer(reference) for reference in node.input]
    return ordered


def _inputs(node: Any) -> Iterator[str]:
    return iter(()) if node.op in _BACK_EDGES else (producer(r) for r in node.input)

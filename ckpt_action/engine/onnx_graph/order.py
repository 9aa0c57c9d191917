"""Nodes in the order in which a graph's outputs need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckpt_action.engine.onnx_graph.copies import bodies, copied


def needed(graph: Any) -> tuple[list[Any], list[Any]]:
    """Copies of the nodes and initialisers that the outputs need, in the order they are met."""
    makers = {name: node for node in graph.node for name in node.output if name}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes: dict[int, Any] = {}
    tensors: dict[str, Any] = {}
    entered: set[int] = set()
    waiting = [(value.name, False) for value in reversed(graph.output)]
    while waiting:
        name, complete = waiting.pop()
        if name in stored:
            tensors[name] = stored[name]
        node = makers.get(name)
        if node is None:
            continue
        if complete:
            nodes[id(node)] = node
        elif id(node) not in entered:
            entered.add(id(node))
            waiting.append((name, True))
            waiting += [(read, False) for read in reversed(list(reads(node)))]
    return [copied(node) for node in nodes.values()], [copied(t) for t in tensors.values()]


def reads(node: Any) -> Iterator[str]:
    """What a node takes from its graph, its bodies included."""
    yield from node.input
    for attribute in node.attribute:
        for body in bodies(attribute):
            own = {v.name for v in (*body.input, *body.initializer)}
            own |= {name for inner in body.node for name in inner.output}
            read = [name for inner in body.node for name in reads(inner)]
            read += [value.name for value in body.output]
            yield from (name for name in read if name not in own)

"""A GraphDef as bodies: the main graph and its functions, and who reads what in each.

In the main graph a tensor is written `node` or `node:1`, in a function `argument` or
`node:output_name:0`; control edges are `^node` in both (tensorflow/core/framework/function.proto).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

MAIN = ""
"""Name of the main graph among the bodies."""

_PORTS = {"Switch": ("output_false", "output_true"), "_SwitchN": ("outputs",)}


def producer(reference: str) -> str:
    """Name of the node (or argument) that `reference` reads or waits for."""
    return reference.lstrip("^").split(":")[0]


class Body:
    """The nodes of the main graph, or of one function."""

    def __init__(self, name: str, nodes: Any, function: Any | None = None) -> None:
        self.name = name
        self.nodes = nodes
        self.function = function
        self.by_name = {node.name: node for node in nodes}
        self._readers: dict[str, list[tuple[Any, int]]] = {}
        for node in nodes:
            for index, reference in enumerate(node.input):
                if not reference.startswith("^"):
                    self._readers.setdefault(self._key(reference), []).append((node, index))

    def readers(self, reference: str) -> Iterable[tuple[Any, int]]:
        """(node, input index) of all that read this tensor."""
        return self._readers.get(self._key(reference), ())

    def output(self, node: Any, port: int) -> str:
        """The reference to output `port` of a node that hands values through."""
        if self.function is None:
            return f"{node.name}:{port}"
        names = _PORTS.get(node.op, ("output",))
        if len(names) > 1:
            return f"{node.name}:{names[port]}:0"
        return f"{node.name}:{names[0]}:{port}"

    def _key(self, reference: str) -> str:
        if self.function is None and ":" not in reference:
            return f"{reference}:0"
        return reference


class Bodies:
    """All bodies of one GraphDef, made when first asked for."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.main = Body(MAIN, graph.node)
        self.functions = {f.signature.name: f for f in graph.library.function}
        self._made = {MAIN: self.main}

    def __getitem__(self, name: str) -> Body:
        if name not in self._made:
            function = self.functions[name]
            self._made[name] = Body(name, function.node_def, function)
        return self._made[name]


def called(node: Any) -> Iterator[Any]:
    """Every reference to a function (NameAttrList) in the attributes of `node`."""
    for key in sorted(node.attr):
        yield from _references(node.attr[key])


def _references(attr: Any) -> Iterator[Any]:
    functions = [attr.func] if attr.HasField("func") else list(attr.list.func)
    for function in functions:
        yield function
        for key in sorted(function.attr):
            yield from _references(function.attr[key])


def reachable_functions(nodes: Iterable[Any], functions: dict[str, Any]) -> list[str]:
    """Names of the functions that `nodes` call, directly or not, sorted."""
    found: set[str] = set()
    waiting = [reference.name for node in nodes for reference in called(node)]
    while waiting:
        name = waiting.pop()
        if name in found or name not in functions:
            continue
        found.add(name)
        waiting += [r.name for node in functions[name].node_def for r in called(node)]
    return sorted(found)


def reached_nodes(graph: Any) -> Iterator[Any]:
    """Of the main graph, and of the functions that it calls, directly or not."""
    functions = {f.signature.name: f for f in graph.library.function}
    yield from graph.node
    for name in reachable_functions(graph.node, functions):
        yield from functions[name].node_def

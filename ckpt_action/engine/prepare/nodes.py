"""A graph while passes change it, its nodes as messages of their own.

A GraphDef copies what is put into it. Here constants go from one pass's graph to the next as they
are, so that weights are in memory once, however many passes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tensorflow.core.framework import function_pb2, graph_pb2, versions_pb2


class Nodes:
    """Stands in for a GraphDef wherever passes read or make one."""

    def __init__(self, *, library: Any, versions: Any) -> None:
        self.node: list[Any] = []
        self.library = function_pb2.FunctionDefLibrary()
        self.library.CopyFrom(library)
        self.versions = versions_pb2.VersionDef()
        self.versions.CopyFrom(versions)


def graph_def(graph: Any) -> Any:
    """`graph` as TensorFlow takes it."""
    if isinstance(graph, graph_pb2.GraphDef):
        return graph
    made = graph_pb2.GraphDef(library=graph.library, versions=graph.versions)
    made.node.extend(graph.node)
    return made


def with_own_nodes(graph: Any) -> Any:
    """A graph like `graph`, to be changed."""
    made = type(graph)(library=graph.library, versions=graph.versions)
    made.node.extend(own(graph.node))
    return made


def own(nodes: Iterable[Any]) -> Iterator[Any]:
    """Copies, but of constants, which no pass changes."""
    for node in nodes:
        if node.op == "Const" and not node.input:
            yield node
        else:
            made = type(node)()
            made.CopyFrom(node)
            yield made

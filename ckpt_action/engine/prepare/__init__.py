"""A frozen graph made ready for readers that know fewer ops than TensorFlow, or run them slower.

Each pass takes a graph with its payloads (a GraphDef, or `Nodes`) and the names of the nodes that
are fed or fetched, and returns a new graph of that kind that computes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.engine.arrays import digest, shared_array
from ckpt_action.engine.freeze import FrozenGraph
from ckpt_action.engine.prepare.editor import constant_node, value_of
from ckpt_action.engine.prepare.nodes import Nodes, graph_def, own

Pass = Callable[[Any, tuple[str, ...]], Any]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    graph: Any
    """GraphDef with all payloads."""
    stored: Mapping[str, str]
    """Const node to the path of the model's variable whose bytes it holds."""
    transformed: tuple[str, ...]
    """Paths of the variables that are in it in another form only."""


def prepare(frozen: FrozenGraph, passes: Sequence[Pass]) -> Prepared:
    """Put `frozen` through `passes`, in their order."""
    keep = fed_and_fetched(frozen)
    nodes = with_payloads(frozen)
    for change in passes:
        nodes = change(nodes, keep)
    graph = graph_def(nodes)
    stored = dict(_stored(graph, frozen))
    paths = set(stored.values())
    return Prepared(
        graph=graph,
        stored=stored,
        transformed=tuple(path for path in frozen.weights.values() if path not in paths),
    )


def fed_and_fetched(frozen: FrozenGraph) -> tuple[str, ...]:
    """Names of the nodes that stand for inputs and outputs, in the declared order."""
    tensors = (t for s in frozen.signatures for t in (*s.inputs, *s.outputs))
    return tuple(dict.fromkeys(str(t.tensor).removesuffix(":0") for t in tensors))


def with_payloads(frozen: FrozenGraph) -> Nodes:
    """The graph with the weights inside."""
    made = Nodes(library=frozen.graph.library, versions=frozen.graph.versions)
    for node in own(frozen.graph.node):
        value = frozen.values.get(node.name)
        made.node.append(
            node
            if value is None
            else constant_node(node.name, shared_array(tf.convert_to_tensor(value)))
        )
    return made


def _stored(graph: Any, frozen: FrozenGraph) -> Iterator[tuple[str, str]]:
    """Passes never change a Const: one that kept its name is the variable. A reshaped one has a
    name of its own and still the variable's bytes."""
    constants = {node.name: node for node in graph.node if node.op == "Const"}
    lost = {name: path for name, path in frozen.weights.items() if name not in constants}
    yield from ((name, path) for name, path in frozen.weights.items() if name in constants)
    by_digest: dict[str, list[str]] = {}
    for name, node in constants.items():
        if lost and name not in frozen.weights:
            by_digest.setdefault(digest(value_of(node)), []).append(name)
    for name, path in lost.items():
        value = shared_array(tf.convert_to_tensor(frozen.values[name]))
        same = by_digest.get(digest(value))
        if same:
            yield same.pop(), path

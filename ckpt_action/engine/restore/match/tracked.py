"""The vocabulary of TensorFlow's object graphs: attributes, indices, keys, and Keras' layer lists.

Keras 2 stores the layers of Functional and Sequential models as `layer_with_weights-N` (before
TensorFlow 1.14 only as `layer-N`), Keras 3 as `_operations/N`, Sequential models of some versions
as `_layers/N` or `_self_tracked_trackables/N`. Layers without weights are left out of the count on
both sides: where a Dropout was added or dropped, nothing else moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ckpt_action.engine.restore.match.match import By, Pair, Walk, names_taken, stored_as
from ckpt_action.engine.restore.model.live import Child, is_graph_container, is_layer
from ckpt_action.engine.restore.model.lookup_tables import is_lookup_layer, is_table
from ckpt_action.engine.restore.permissions import all_allowed
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_LISTS = ("_operations", "_layers", "_self_tracked_trackables")
_RENAMED = {"kernel": ("depthwise_kernel",), "depthwise_kernel": ("kernel",)}
"""Attributes that a layer of Keras 2 and its successor in Keras 3 call differently."""


class TrackedNames:
    """Pairs in an object graph of `tf.train.Checkpoint` and of all that is built on it.

    Layers of the checkpoint all of whose values match `unused` are left out of the count.
    """

    def __init__(self, unused: tuple[str, ...] = ()) -> None:
        self._unused = unused

    def pairs(self, item: Any, node: int, walk: Walk) -> Iterator[Pair]:
        below = walk.edges.below(item)
        stored = walk.graph.nodes[node].children
        taken = names_taken(below, stored)
        for child in below:
            nodes = stored_as(child, stored, taken) or _renamed(child, stored, taken)
            if not nodes and is_layer(item) and _is_unseen(child):
                walk.found.unseen.append(child.item)
            yield from (Pair(item=child.item, node=found, by=By.NAME) for found in nodes)
        if is_graph_container(item):
            yield from self._layers(item, stored, walk)

    def _layers(self, item: Any, stored: Mapping[str, int], walk: Walk) -> Iterator[Pair]:
        layers = [layer for layer in item.layers if walk.has_weights(layer)]
        for nodes in _stored_lists(stored, walk.graph):
            weighty = [node for node in nodes if walk.graph.has_weights(node)]
            if len(weighty) > len(layers):
                weighty = [node for node in weighty if not self._is_unused(node, walk.graph)]
            if len(weighty) == len(layers):
                for layer, node in zip(layers, weighty, strict=True):
                    yield Pair(item=layer, node=node, by=By.ORDER)
        yield from _tabled(item, stored, walk)
        yield from _operations(item, stored, walk)
        if "_functional" in stored:
            yield Pair(item=item, node=stored["_functional"], by=By.NAME)

    def _is_unused(self, node: int, graph: CheckpointGraph) -> bool:
        values = (graph.value(below) for below in graph.below(node))
        return all_allowed(self._unused, (value for value in values if value is not None))


def _is_unseen(child: Child) -> bool:
    """Whether Keras 3 would not save it: below a list, or a weight that is no attribute."""
    return isinstance(child.item, (list, tuple, dict)) or (not child.names and bool(child.own_name))


def _renamed(child: Child, stored: Mapping[str, int], taken: set[str]) -> list[int]:
    """Nodes under the name of `add_weight`, or under the name of the other Keras generation."""
    if child.own_name in stored and child.own_name not in taken:
        return [stored[child.own_name]]
    bare = [name.lstrip("_") for name in (*child.names, child.own_name)]
    others = {other for name in bare for other in _RENAMED.get(name, ())} - taken
    return [stored[name] for name in others if name in stored]


def _tabled(item: Any, stored: Mapping[str, int], walk: Walk) -> Iterator[Pair]:
    """Keras 2 names layers by their order. Those that hold a table that grows, and no weight, stand
    for each other where both sides have as many."""
    layers = [one for one in item.layers if not walk.has_weights(one) and _grows(one, walk, set())]
    for nodes in _stored_lists(stored, walk.graph) if layers else ():
        tables = [
            node
            for node in nodes
            if any(walk.graph.table(below) for below in walk.graph.below(node))
            and not walk.graph.has_weights(node)
        ]
        if len(tables) == len(layers):
            for layer, node in zip(layers, tables, strict=True):
                yield Pair(item=layer, node=node, by=By.ORDER)


def _grows(item: Any, walk: Walk, seen: set[int]) -> bool:
    """Whether a table that grows hangs at or below `item`, but for those of lookup layers."""
    if id(item) in seen or is_lookup_layer(item):
        return False
    seen.add(id(item))
    if is_table(item):
        return hasattr(item, "insert")
    return any(_grows(child.item, walk, seen) for child in walk.edges.below(item))


def _operations(item: Any, stored: Mapping[str, int], walk: Walk) -> Iterator[Pair]:
    """Keras 3 counts every operation: where both sides have as many, layer by layer, even if a
    layer's weights were never saved."""
    nodes = _numbered(walk.graph.nodes[stored.get("_operations", 0)].children, r"(\d+)")
    operations = getattr(getattr(item, "_functional", None) or item, "_operations", ())
    if nodes and len(nodes) == len(operations):
        for operation, node in zip(operations, nodes, strict=True):
            if is_layer(operation):
                yield Pair(item=operation, node=node, by=By.ORDER)


def _stored_lists(stored: Mapping[str, int], graph: CheckpointGraph) -> Iterator[list[int]]:
    """`layer_with_weights-N` leaves out a layer around a module or a SavedModel, whose variables
    Keras does not take for weights; `layer-N` has every layer."""
    yield _numbered(stored, r"layer_with_weights-(\d+)")
    yield _numbered(stored, r"layer-(\d+)")
    for name in _LISTS:
        if name in stored:
            yield _numbered(graph.nodes[stored[name]].children, r"(\d+)")


def _numbered(stored: Mapping[str, int], pattern: str) -> list[int]:
    matches = [(re.fullmatch(pattern, name), node) for name, node in stored.items()]
    return [node for _, node in sorted((int(match[1]), node) for match, node in matches if match)]

"""Walk the live objects and the checkpoint's objects together; collect who may take which value."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.containers import paired_layers
from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.live import Child, children, is_aside, is_layer, is_random_state
from ckpt_action.engine.restore.records import LiveModel

_RENAMED = {"kernel": ("depthwise_kernel",), "depthwise_kernel": ("kernel",)}
"""Attributes that a layer of Keras 2 and its successor in Keras 3 call differently."""


@dataclass(kw_only=True)
class Found:
    """What walking both sides from one pair of roots has found."""

    values: dict[int, dict[int, bool]] = field(default_factory=dict)
    """id of a raw variable to {node: whether only an order led there}."""
    aside: set[int] = field(default_factory=set)
    """Nodes of live optimizers, metrics and random generators."""
    tables: dict[int, Any] = field(default_factory=dict)
    """Node to live lookup table."""
    unseen: list[Any] = field(default_factory=list)
    """Lists, tuples and dicts of Keras layers that the checkpoint has no node for."""


def walk_together(model: LiveModel, graph: CheckpointGraph, root: int) -> Found:
    """Pairs found by name are followed to their end before any pair found by order."""
    walker = _Walker(model, graph)
    walker.run(root)
    return walker.found


class _Walker:
    def __init__(self, model: LiveModel, graph: CheckpointGraph) -> None:
        self.found = Found()
        self._model = model
        self._graph = graph
        self._own = {id(v.variable) for v in model.own()}
        self._weights: dict[int, tuple[Any, bool]] = {}
        self._seen: dict[tuple[int, int], Any] = {}
        self._named: deque[tuple[Any, int]] = deque()
        self._ordered: deque[tuple[Any, int]] = deque()

    def run(self, root: int) -> None:
        self._named.append((self._model.root, root))
        while self._named or self._ordered:
            ordered = not self._named
            item, node = (self._ordered if ordered else self._named).popleft()
            self._visit(item, node, ordered=ordered)

    def _visit(self, item: Any, node: int, *, ordered: bool) -> None:
        variable = raw_variable(item)
        identity = id(item if variable is None else variable)
        if (identity, node) in self._seen:
            return
        self._seen[identity, node] = item
        if variable is not None:
            if self._graph.value(node) is not None:
                self.found.values.setdefault(identity, {})[node] = ordered
            return
        if is_aside(item) or is_random_state(item):
            self.found.aside.add(node)
            return
        if self._graph.table(node) and hasattr(item, "insert"):
            self.found.tables[node] = item
        below = children(item)
        follow = self._ordered if ordered else self._named
        follow.extend(self._by_name(item, below, node))
        self._ordered.extend(paired_layers(item, node, self._graph, self.has_weights))

    def _by_name(self, item: Any, below: list[Child], node: int) -> Iterator[tuple[Any, int]]:
        stored = self._graph.nodes[node].children
        taken = {name for child in below for name in child.names if name in stored}
        for child in below:
            nodes = _stored_as(child, stored, taken)
            if not nodes and is_layer(item) and isinstance(child.item, (list, tuple, dict)):
                self.found.unseen.append(child.item)
            yield from ((child.item, found) for found in nodes)

    def has_weights(self, item: Any) -> bool:
        """Whether anything that the checkpoint has to fill hangs below `item`."""
        known = self._weights.get(id(item))
        if known is not None:
            return known[1]
        self._weights[id(item)] = (item, False)
        variable = raw_variable(item)
        if variable is not None:
            result = id(variable) in self._own
        else:
            result = not is_aside(item) and any(
                self.has_weights(child.item) for child in children(item)
            )
        self._weights[id(item)] = (item, result)
        return result


def _stored_as(child: Child, stored: Mapping[str, int], taken: set[str]) -> list[int]:
    """Nodes that the child's names lead to, by the most exact reading that leads anywhere."""
    exact = [stored[name] for name in child.names if name in stored]
    if exact:
        return exact
    bare = {name.lstrip("_") for name in child.names if not name.isdigit()}
    free = {name: node for name, node in stored.items() if name not in taken}
    alike = [node for name, node in free.items() if name.lstrip("_") in bare]
    if alike:
        return alike
    if child.own_name in free:
        return [free[child.own_name]]
    renamed = {new for old in (*bare, child.own_name) for new in _RENAMED.get(old, ())}
    return [node for name, node in free.items() if name in renamed]

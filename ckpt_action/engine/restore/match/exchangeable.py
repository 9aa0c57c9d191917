"""Lookup tables that only the order of layers tells apart: exchanged, they would fit as well.

Weights that changed places show in their names or, with golden values, in the outputs; words show
nowhere. So what is around a table has to tell: attributes, shapes, names of variables.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ckpt_action.engine.restore.match.match import Found, FoundTable
from ckpt_action.engine.restore.records import Candidate, Value
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_Member = tuple[FoundTable, int]
"""A table of the model and its node in the checkpoint."""


def told_by_order(
    found: Found, graph: CheckpointGraph, bound: Iterable[Candidate]
) -> Iterator[tuple[tuple[Any, Mapping[str, Value]], ...]]:
    """Each group of tables that are alike in all but their order, with their stored content."""
    alike: dict[object, list[_Member]] = defaultdict(list)
    for node, tables in found.tables.items():
        for table in tables:
            if table.ordered:
                forms = tuple(_form(graph, layer) for layer in table.ordered)
                alike[forms, _places(graph, table.ordered[-1])[node]].append((table, node))
    names = _Names(graph, bound)
    for members in alike.values():
        open_ = [one for one in members if any(names.leave_open(one, other) for other in members)]
        if open_:
            yield tuple((table.item, graph.table(node)) for table, node in open_)


class _Names:
    """What the recorded names of variables say of the layers around them."""

    def __init__(self, graph: CheckpointGraph, bound: Iterable[Candidate]) -> None:
        self._graph = graph
        self._confirmed = {
            candidate.value.key: _unnumbered(name)
            for candidate in bound
            if (name := candidate.value.full_name.split(":")[0])
            and name in (candidate.variable.path, *candidate.variable.names)
        }
        """Key to a name that is the same on both sides."""

    def leave_open(self, one: _Member, other: _Member) -> bool:
        """Whether the layers around two tables have no names that are theirs alone."""
        for here, there in zip(one[0].ordered, other[0].ordered, strict=True):
            if here != there:
                ours, theirs = self._below(here), self._below(there)
                return not (ours or theirs) or bool(ours & theirs)
        return False

    def _below(self, layer: int) -> set[str]:
        values = (self._graph.value(node) for node in self._graph.below(layer))
        return {self._confirmed[v.key] for v in values if v and v.key in self._confirmed}


def _unnumbered(name: str) -> str:
    """Without the numbers that Keras gives in the order of making: `dense_1/kernel`."""
    return re.sub(r"_\d+(?=/|$)", "", name)


def _form(graph: CheckpointGraph, layer: int) -> frozenset[object]:
    """What is stored below a layer, but for the numbers themselves."""
    form: set[object] = set()
    for node, place in _places(graph, layer).items():
        if value := graph.value(node):
            form.add((place, value.shape, value.dtype))
        elif table := graph.table(node):
            form.add((place, *(table[part].dtype for part in ("keys", "values"))))
    return frozenset(form)


def _places(graph: CheckpointGraph, layer: int) -> dict[int, str]:
    """Nodes that belong to a layer, with the shortest way to each."""
    inside = set(graph.below(layer))
    places, queue = {layer: ""}, deque([layer])
    while queue:
        node = queue.popleft()
        for name, child in graph.nodes[node].children.items():
            if child in inside and child not in places:
                places[child] = f"{places[node]}/{name}"
                queue.append(child)
    return places

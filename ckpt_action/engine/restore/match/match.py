"""Walk the live objects and the checkpoint's objects together; collect who may take which value."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.model.live import Child, is_aside, is_random_state
from ckpt_action.engine.restore.model.lookup_tables import is_table
from ckpt_action.engine.restore.records import LiveModel
from ckpt_action.engine.restore.sources.graph import CheckpointGraph


class By(IntEnum):
    """What led to a pair; a better reading is followed to its end before the next begins."""

    NAME = 0
    ORDER = 1
    REST = 2
    """The order of what is left when everything else is paired."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A live object and the node that may be its image."""

    item: Any
    node: int
    by: By
    ordered: tuple[int, ...] = ()
    """Nodes on the way here, from the root on, to which an order led."""


@dataclass(frozen=True, kw_only=True)
class FoundTable:
    """A live lookup table, and the nodes on the way to its own to which an order led."""

    item: Any
    ordered: tuple[int, ...]


class Vocabulary(Protocol):
    """How one family of files names the edges between objects."""

    def pairs(self, item: Any, node: int, walk: Walk) -> Iterator[Pair]:
        """What pairs below a pair."""


@dataclass(kw_only=True)
class Found:
    """What walking both sides from one pair of roots has found."""

    values: dict[int, dict[int, bool]] = field(default_factory=dict)
    """id of a raw variable to {node: whether only an order led there}."""
    holders: dict[tuple[int, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    """The same id and node to those of the objects from which the walk came to them."""
    counted: set[int] = field(default_factory=set)
    """Nodes of values that a file counts instead of naming them, in the order in which a layer of
    the user's made them."""
    aside: set[int] = field(default_factory=set)
    """Nodes of live optimizers, metrics, random generators and states."""
    tables: dict[int, list[FoundTable]] = field(default_factory=dict)
    """Node to live lookup tables, whether they grow or have their content from the code."""
    unseen: list[Any] = field(default_factory=list)
    """What Keras 3 layers hold out of sight of `tf.train.Checkpoint`, and the file has no node
    for: lists, tuples, dicts, and weights that are no attribute."""


class Walk:
    """One walk from one pair of roots."""

    def __init__(self, model: LiveModel, graph: CheckpointGraph, vocabulary: Vocabulary) -> None:
        self.graph = graph
        self.found = Found()
        self._vocabulary = vocabulary
        self.edges = model.edges
        self._states = {id(v.variable) for v in model.variables if v.state}
        self._own = {id(v.variable) for v in model.own()}
        self._weights: dict[int, tuple[Any, bool]] = {}
        self._seen: dict[tuple[int, int], Any] = {}
        self._paired: set[int] = set()
        self._queues: dict[By, deque[Pair]] = {by: deque() for by in By}

    def run(self, item: Any, root: int) -> Found:
        """Pairs by name are followed to their end before any pair by order."""
        self._queues[By.NAME].append(Pair(item=item, node=root, by=By.NAME))
        while any(self._queues.values()):
            pair = next(queue for queue in self._queues.values() if queue).popleft()
            for below in self._visit(pair):
                by = max(pair.by, below.by)
                if (variable := raw_variable(below.item)) is not None:
                    self.found.holders[id(variable), below.node].add(id(pair.item))
                here = (below.node,) if below.by > By.NAME else ()
                self._queues[by].append(replace(below, by=by, ordered=pair.ordered + here))
        return self.found

    def is_paired(self, item: Any) -> bool:
        return id(item) in self._paired

    def has_weights(self, item: Any) -> bool:
        """Whether anything that the checkpoint has to fill hangs below `item`."""
        if id(item) in self._weights:
            return self._weights[id(item)][1]
        self._weights[id(item)] = (item, False)  # ends cycles
        variable = raw_variable(item)
        if variable is not None:
            result = id(variable) in self._own
        else:
            below = () if is_aside(item) else self.edges.below(item)
            result = any(self.has_weights(child.item) for child in below)
        self._weights[id(item)] = (item, result)
        return result

    def _visit(self, pair: Pair) -> Iterator[Pair]:
        item, node = pair.item, pair.node
        variable = raw_variable(item)
        identity = id(item if variable is None else variable)
        if (identity, node) in self._seen:
            return
        self._seen[identity, node] = item
        self._paired.add(identity)
        if identity in self._states:
            self.found.aside.add(node)
        elif variable is not None:
            if self.graph.value(node) is not None:
                self.found.values.setdefault(identity, {})[node] = pair.by > By.NAME
        elif is_aside(item) or is_random_state(item):
            self.found.aside.add(node)
        else:
            if self.graph.table(node) and is_table(item):
                self._meet_table(pair)
            yield from self._vocabulary.pairs(item, node, self)

    def _meet_table(self, pair: Pair) -> None:
        """Names come first; what they led to is no other table that stands in the same order."""
        known = self.found.tables.setdefault(pair.node, [])
        if not (pair.ordered and any(not one.ordered for one in known)):
            known.append(FoundTable(item=pair.item, ordered=pair.ordered))


def names_taken(below: list[Child], stored: Mapping[str, int]) -> set[str]:
    """Stored names that one of the live children has exactly."""
    return {name for child in below for name in child.names if name in stored}


def stored_as(child: Child, stored: Mapping[str, int], taken: set[str]) -> list[int]:
    """Nodes under the child's names: exactly, else but for leading underscores."""
    exact = [stored[name] for name in child.names if name in stored]
    if exact:
        return exact
    bare = {name.lstrip("_") for name in child.names if not name.isdigit()}
    return [node for name, node in stored.items() if name not in taken and name.lstrip("_") in bare]

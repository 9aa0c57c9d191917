"""Which object of the checkpoint is the model: the declared one, or the only one that fits."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from ckpt_action.config.checkpoint_parts import part_at
from ckpt_action.config.records import Restore
from ckpt_action.engine.restore.match.by_graph import GraphRoute, attempt_at
from ckpt_action.engine.restore.records import Attempt, LiveModel
from ckpt_action.engine.restore.sources.graph import CheckpointGraph
from ckpt_action.errors import CkptActionError, Problem

_KERAS_MADE = re.compile(r"_|layers$|layer-\d|layer_with_weights-\d|keras_api$|signatures$")


def attempts(model: LiveModel, route: GraphRoute, rules: Restore) -> list[Attempt]:
    """One attempt for each root that comes into question."""
    if rules.root is not None:
        node = _declared(route.graph, rules.root)
        return [attempt_at(model, route, node, rules.root, rules)]
    return [attempt_at(model, route, node, root, rules) for root, node in _roots(route.graph)]


def deeper_attempts(model: LiveModel, route: GraphRoute, rules: Restore) -> list[Attempt]:
    """The same for parts of parts, as the policy of an agent: only what holds as many values as the
    model can be it."""
    graph, least = route.graph, 1 if rules.allow_missing else len(model.own())
    queue = deque((name, node) for name, node in _roots(graph) if name)
    seen = {0, *(node for _, node in queue)}
    found = []
    while queue:
        place, parent = queue.popleft()
        for name, node in _parts(graph, parent):
            if node not in seen and _count(graph, node) >= least:
                seen.add(node)
                queue.append((f"{place}.{name}", node))
                found.append(attempt_at(model, route, node, f"{place}.{name}", rules))
    return found


def _count(graph: CheckpointGraph, node: int) -> int:
    return sum(graph.value(below) is not None for below in graph.below(node))


def _roots(graph: CheckpointGraph) -> Iterator[tuple[str, int]]:
    """The saved object and the parts that a person gave it, each object once.

    What Keras names by itself, `layer-3` or `_operations`, is a layer of the saved model and never
    a model of its own.
    """
    yield "", 0
    seen = {0}
    for name, node in _parts(graph, 0):
        if node not in seen:
            seen.add(node)
            yield name, node


def _parts(graph: CheckpointGraph, parent: int) -> Iterator[tuple[str, int]]:
    for name, node in graph.nodes[parent].children.items():
        own = _KERAS_MADE.match(name) or node in graph.optimizers
        if not own and graph.nodes[node].children:
            yield name, node


def _declared(graph: CheckpointGraph, root: str) -> int:
    found = part_at(graph.nodes, root)
    if isinstance(found, Problem):
        raise CkptActionError(found)
    return found

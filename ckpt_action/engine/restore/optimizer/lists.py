"""The lists in which a Keras 3 optimizer keeps the variables that it trains, and their slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ckpt_action.engine.restore.sources.graph import CheckpointGraph

TRAINED = "_trainable_variables"


def trained_lists(graph: CheckpointGraph) -> Mapping[int, Sequence[int]]:
    """Optimizer to the variables that it trains."""
    children = {number: graph.nodes[number].children for number in sorted(graph.optimizers)}
    return {
        number: _members(graph, edges[TRAINED])
        for number, edges in children.items()
        if TRAINED in edges
    }


def slot_names(graph: CheckpointGraph, node: int) -> Iterator[str]:
    """Names of the slots at the place of the variable `node` in an optimizer's other lists."""
    for optimizer, trained in trained_lists(graph).items():
        for name, child in graph.nodes[optimizer].children.items():
            slots = _members(graph, child)
            if node in trained and name != TRAINED and len(slots) == len(trained):
                slot = graph.value(slots[trained.index(node)])
                if slot is not None:
                    yield slot.full_name


def _members(graph: CheckpointGraph, node: int) -> list[int]:
    children = graph.nodes[node].children
    return [children[str(i)] for i in range(len(children)) if str(i) in children]

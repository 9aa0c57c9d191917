"""Weights that a Keras 3 checkpoint holds below the optimizer alone.

`tf.train.Checkpoint(model=..., optimizer=...)` does not see what a Keras 3 layer holds in a list,
tuple or dict. The optimizer keeps every variable that it trains in one list, in the order of
`model.trainable_variables`; there such weights are saved nevertheless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.optimizer.lists import trained_lists
from ckpt_action.engine.restore.optimizer.names import contradiction
from ckpt_action.engine.restore.optimizer.owners import other_owners
from ckpt_action.engine.restore.records import Disputed, LiveModel, LiveVariable
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_Pairs = Sequence[tuple[LiveVariable, int]]


@dataclass(kw_only=True)
class Trained:
    """What the lists of optimizers hold for one model at one root."""

    values: dict[int, dict[int, None]] = field(default_factory=dict)
    """id of a raw variable to the nodes that it may take; several, where several lists fit."""
    disputed: list[Disputed] = field(default_factory=list)


def hidden_values(graph: CheckpointGraph, root: int) -> list[int]:
    """Nodes of variables that were trained together with the model at `root`, or alone, and hang
    nowhere else in the checkpoint."""
    own = set(graph.below(root))
    lists = trained_lists(graph).values()
    return list(dict.fromkeys(node for nodes in lists for node in _hidden(graph, own, nodes)))


def trained_values(
    model: LiveModel, graph: CheckpointGraph, root: int, found: Mapping[int, Mapping[int, bool]]
) -> Trained:
    """What each variable without a value may take out of the list of an optimizer.

    The list must be as long as the model's own, and must have every variable that is already
    `found` in its place. One that may be the list of another network gives nothing.
    """
    own = set(graph.below(root))
    trained = Trained()
    for optimizer, nodes in trained_lists(graph).items():
        hidden = _hidden(graph, own, nodes)
        if not hidden:
            continue
        pairs = _pairs(model, nodes, set(hidden), found)
        owners = tuple(other_owners(model, graph, root, nodes))
        alone = graph.everything.isdisjoint(nodes)
        names = contradiction(graph, pairs) if alone and not owners else None
        if owners or names:
            values = tuple(v for node in hidden if (v := graph.value(node)) is not None)
            path = graph.paths.get(optimizer, "").replace("/", ".")
            trained.disputed.append(
                Disputed(optimizer=path, values=values, owners=owners, names=names)
            )
            continue
        for live, node in pairs:
            trained.values.setdefault(id(live.variable), {})[node] = None
    return trained


def _hidden(graph: CheckpointGraph, own: set[int], nodes: Sequence[int]) -> list[int]:
    known = graph.everything.intersection(nodes)
    if known and not own & known:
        return []
    return [node for node in nodes if node not in graph.everything]


def _pairs(
    model: LiveModel,
    nodes: Sequence[int],
    hidden: set[int],
    found: Mapping[int, Mapping[int, bool]],
) -> _Pairs:
    """Variables without a value beside what the list has in their place; nothing where the list
    is not that of the model."""
    own = {id(v.variable): v for v in model.own()}
    listed = [own.get(id(raw_variable(v))) for v in getattr(model.root, "trainable_variables", ())]
    live = [v for v in listed if v is not None]
    if not len(nodes) == len(live) == len(listed):
        return []
    known = [found.get(id(v.variable), {}) for v in live]
    rows = list(zip(live, nodes, known, strict=True))
    if not all(node in places if places else node in hidden for _, node, places in rows):
        return []
    return [(v, node) for v, node, places in rows if not places]

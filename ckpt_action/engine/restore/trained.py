"""Weights that a Keras 3 checkpoint holds below the optimizer alone.

`tf.train.Checkpoint(model=..., optimizer=...)` does not see what a Keras 3 layer holds in a list,
tuple or dict. The optimizer keeps every variable that it trains in one list, in the order of
`model.trainable_variables`; there such weights are saved nevertheless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.records import LiveModel, LiveVariable, Value

_TRAINED = "_trainable_variables"


def hidden_values(graph: CheckpointGraph, root: int) -> list[int]:
    """Nodes of variables that were trained together with the model at `root`, or alone, and hang
    nowhere else in the checkpoint."""
    own = set(graph.below(root))
    found: dict[int, None] = {}
    for trained in _lists(graph):
        known = graph.everything.intersection(trained)
        if own & known or not known:
            found |= dict.fromkeys(node for node in trained if node not in graph.everything)
    return list(found)


def trained_values(
    model: LiveModel, graph: CheckpointGraph, root: int, found: Mapping[int, Mapping[int, bool]]
) -> Iterator[tuple[int, int]]:
    """What each variable without a value may take out of the list of an optimizer.

    The list must be as long as the model's own, and must have every variable that is already
    found in its place. Gives (id of the variable, node), as `found` has them.
    """
    own = {id(v.variable): v for v in model.own()}
    listed = [own.get(id(raw_variable(v))) for v in getattr(model.root, "trainable_variables", ())]
    live = [v for v in listed if v is not None]
    hidden = set(hidden_values(graph, root))
    for trained in _lists(graph):
        if len(trained) != len(live) or len(live) != len(listed):
            continue
        pairs = [
            (v, node, found.get(id(v.variable), {})) for v, node in zip(live, trained, strict=True)
        ]
        if all(node in known if known else node in hidden for _, node, known in pairs):
            yield from ((id(v.variable), node) for v, node, known in pairs if not known)


def named_by_slots(
    value: Value, node: int, live: LiveVariable, graph: CheckpointGraph, model: LiveModel
) -> Value:
    """`value` with the path that the optimizer gave its slots: `adam/net_dense_1_kernel_momentum`
    beside the variable `net/dense_1/kernel`. Its own name tells the outermost model alone."""
    for name in _slot_names(graph, node):
        shared = {v.path: _shared_parts(v.path, name) for v in model.variables}
        best = max(shared.values())
        paths = [path for path, count in shared.items() if count == best]
        if best > 1 and len(paths) == 1:
            return replace(value, full_name=paths[0])
        families = [re.sub(r"_\d+$", "", part) for part in live.path.split("/")[-2:]]
        pattern = "_".join(rf"({re.escape(family)}(?:_\d+)?)" for family in families)
        if match := re.search(rf"(?<![^/_]){pattern}_", name):
            return replace(value, full_name="/".join(match.groups()))
    return value


def _shared_parts(path: str, name: str) -> int:
    """How many parts of `path`, from its end, follow one another in the name of a slot."""
    parts, slot = path.split("/"), "_" + name.replace("/", "_")
    ends = ("_".join(["", *parts[start:], ""]) for start in range(len(parts)))
    return next((len(parts) - start for start, end in enumerate(ends) if end in slot), 0)


def _lists(graph: CheckpointGraph) -> Iterator[Sequence[int]]:
    for optimizer in sorted(graph.optimizers):
        children = graph.nodes[optimizer].children
        if _TRAINED in children:
            yield _members(graph, children[_TRAINED])


def _slot_names(graph: CheckpointGraph, node: int) -> Iterator[str]:
    """Names of the slots at the same place in the optimizer's other lists."""
    for optimizer in sorted(graph.optimizers):
        children = graph.nodes[optimizer].children
        trained = _members(graph, children[_TRAINED]) if _TRAINED in children else []
        for name, child in children.items():
            slots = _members(graph, child)
            if node in trained and name != _TRAINED and len(slots) == len(trained):
                slot = graph.value(slots[trained.index(node)])
                if slot is not None:
                    yield slot.full_name


def _members(graph: CheckpointGraph, node: int) -> list[int]:
    children = graph.nodes[node].children
    return [children[str(i)] for i in range(len(children)) if str(i) in children]

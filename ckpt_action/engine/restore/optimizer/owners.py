"""Which parts of a checkpoint may own the variables that an optimizer trained.

Variables that hang below the optimizer alone are those of a Keras 3 object that holds its layers in
lists. Of such an object the checkpoint may show nothing at all, so that any part may be it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ckpt_action.checkpoint.records import Role
from ckpt_action.engine.restore.model.live import BOOKKEEPING
from ckpt_action.engine.restore.records import LiveModel
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_KERAS_MADE = BOOKKEEPING | {
    "_losses_override", "_call_has_context_arg", "call_signature_parameters",
    "keras_api", "signatures",
}  # fmt: skip


def other_owners(
    model: LiveModel, graph: CheckpointGraph, root: int, trained: Sequence[int]
) -> list[str]:
    """Dotted paths of the parts that may own the variables `trained` as well as the model at
    `root` may, as far as they hang nowhere else."""
    above, below = _above(graph, root), set(graph.below(root))
    beside = [
        child
        for parent in sorted(above)
        for _, child in _objects(graph, parent)
        if child not in above and child not in below
    ]
    known = graph.everything.intersection(trained)
    if known:
        found = [node for node in beside if known <= set(graph.below(node))]
    else:
        evidence = _Evidence(graph, _scopes(graph, trained))
        doubtful = evidence.speaks_against(root)
        found = [node for node in beside if evidence.may_own(node, doubtful=doubtful)]
        inside = evidence.foreign(root, _attributes(model))
        found += inside if len(inside) > 1 else []
    return [graph.paths[node].replace("/", ".") for node in dict.fromkeys(found)]


@dataclass(frozen=True)
class _Evidence:
    graph: CheckpointGraph
    recorded: frozenset[str]
    """The outermost scopes of variables that hang below an optimizer alone. All names of one
    checkpoint are of one program, where Keras counts: `net` is not `net_1`."""

    def may_own(self, node: int, *, doubtful: bool) -> bool:
        """`doubtful`: the names speak against the part that is asked for, too."""
        weights = _weights(self.graph, node)
        scopes = _scopes(self.graph, weights)
        if not weights or scopes & self.recorded:
            return True
        holding = [c for c in self.graph.nodes[node].children.values() if _weights(self.graph, c)]
        if len(scopes) == 1 and len(holding) > 1:
            return doubtful  # its own scope, which all that it holds would have
        return doubtful or any(True for _ in self._bare(node))

    def speaks_against(self, node: int) -> bool:
        weights = _weights(self.graph, node)
        return bool(weights) and not _scopes(self.graph, weights) & self.recorded

    def foreign(self, root: int, attributes: set[str]) -> list[int]:
        """Possible owners below `root` that the model has no attribute for, at the first level
        that has several."""
        found, known = [root], attributes
        seen = {root}
        while len(found) == 1:
            inner = {c for n, c in _objects(self.graph, found[0]) if n.lstrip("_") not in known}
            level = [c for c in sorted(inner - seen) if self.may_own(c, doubtful=False)]
            if not level:
                break
            found, known = level, set()
            seen |= set(level)
        return found

    def _bare(self, node: int) -> Iterator[int]:
        """The innermost objects at or below `node` that hold no weight."""
        seen: set[int] = set()
        stack = [node]
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            inner = [child for _, child in _objects(self.graph, number)]
            stack += reversed(inner)
            if not inner and not _weights(self.graph, number):
                yield number


def _objects(graph: CheckpointGraph, parent: int) -> Iterator[tuple[str, int]]:
    """What a person hung below `parent` and may hold variables out of sight."""
    for name, child in graph.nodes[parent].children.items():
        node = graph.nodes[child]
        random = "_state_var" in node.children
        if not (name in _KERAS_MADE or child in graph.optimizers or node.attributes or random):
            yield name, child


def _weights(graph: CheckpointGraph, node: int) -> list[int]:
    """Of floating point: a network may also count its steps where one sees it."""
    weights = (number for number in graph.below(node) if graph.role(number, node) is Role.MODEL)
    return [n for n in weights if (value := graph.value(n)) is not None and "float" in value.dtype]


def _scopes(graph: CheckpointGraph, nodes: Iterable[int]) -> frozenset[str]:
    values = (graph.value(node) for node in nodes)
    return frozenset(v.full_name.partition("/")[0] for v in values if v is not None)


def _attributes(model: LiveModel) -> set[str]:
    below = model.edges.below(model.root)
    return {name.lstrip("_") for child in below for name in child.names}


def _above(graph: CheckpointGraph, node: int) -> set[int]:
    parents: dict[int, list[int]] = {}
    for number, one in enumerate(graph.nodes):
        for child in one.children.values():
            parents.setdefault(child, []).append(number)
    found: set[int] = set()
    queue = [node]
    while queue:
        for parent in parents.get(queue.pop(), ()):
            if parent not in found and parent != node and parent not in graph.optimizers:
                found.add(parent)
                queue.append(parent)
    return found

"""Which value of a checkpoint is the moving average of which other one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ckpt_action.checkpoint.records import Role
from ckpt_action.engine.restore.optimizer.lists import TRAINED, trained_lists
from ckpt_action.engine.restore.records import Candidate, Source, Value
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_LIST = "_model_variables_moving_average"
_TF1 = "/ExponentialMovingAverage"


@dataclass(frozen=True, kw_only=True)
class Averages:
    found: Sequence[tuple[str, Value]] = ()
    """(key of a raw value, its average)."""
    undecided: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Key of a raw value to the paths of all, itself included, whose average one may be."""
    trained: frozenset[str] = frozenset()
    """Keys of what Keras 3 trained, whether it has an average or not."""


def averages_in(bound: Sequence[Candidate], source: Source) -> Averages:
    """They live in the optimizer: as lists beside its variables (Keras 3), as
    `<optimizer>/average/<variable>` (Keras 2.11 to 2.15), as `average` slots (TensorFlow Addons),
    or as `<variable>/ExponentialMovingAverage` (TF1)."""
    if source.graph is None:
        pairs = ((c.value.key, source.values.get(c.value.key + _TF1)) for c in bound)
        return Averages(found=[(raw, average) for raw, average in pairs if average is not None])
    graph = CheckpointGraph(source)
    found = [*_slots(graph), *_listed(graph, source)]
    undecided: dict[str, Sequence[str]] = {}
    for raws, average in _named(graph):
        if len(raws) == 1:
            found.append((raws[0].key, average))
        else:
            undecided |= {raw.key: [one.path for one in raws] for raw in raws}
    lists = trained_lists(graph).values()
    trained = (graph.value(node) for nodes in lists for node in nodes)
    return Averages(
        found=found,
        undecided=undecided,
        trained=frozenset(value.key for value in trained if value is not None),
    )


def _slots(graph: CheckpointGraph) -> Iterator[tuple[str, Value]]:
    for node in graph.nodes:
        for original, name, slot in node.slots:
            raw, average = graph.value(original), graph.value(slot)
            if name == "average" and raw is not None and average is not None:
                yield raw.key, average


def _listed(graph: CheckpointGraph, source: Source) -> Iterator[tuple[str, Value]]:
    for optimizer in graph.optimizers:
        children = graph.nodes[optimizer].children
        if TRAINED not in children or _LIST not in children or _is_new(graph, source, optimizer):
            continue
        raw = graph.nodes[children[TRAINED]].children
        averages = graph.nodes[children[_LIST]].children
        for index in raw if raw.keys() == averages.keys() else ():
            one, average = graph.value(raw[index]), graph.value(averages[index])
            if one is not None and average is not None:
                yield one.key, average


def _is_new(graph: CheckpointGraph, source: Source, optimizer: int) -> bool:
    """Whether it made no step yet: Keras 3 fills averages with zeros until the first."""
    node = graph.nodes[optimizer].children.get("_iterations")
    value = graph.value(node) if node is not None else None
    return value is not None and not source.read(value.key).any()


def _named(graph: CheckpointGraph) -> Iterator[tuple[list[Value], Value]]:
    """(all raw values whose it may be, average), by the name that the variable had when it was
    saved: a teacher's layers are often called as the student's are."""
    by_name: dict[str, dict[str, tuple[int, Value]]] = defaultdict(dict)
    values = [(n, v) for n in range(len(graph.nodes)) if (v := graph.value(n)) is not None]
    for node, value in values:
        by_name[value.full_name].setdefault(value.key, (node, value))
    for node, average in values:
        name = _name_of_raw(average.full_name, of_optimizer=node in graph.optimizer_values)
        if name and graph.role(node, 0) is Role.MODEL:
            raws = [one for one in by_name.get(name, {}).values() if one[1].shape == average.shape]
            own = _held_with(graph, node) if len(raws) > 1 else frozenset()
            raws = [one for one in raws if one[0] in own] or raws
            if raws:
                yield [value for _, value in raws], average


def _name_of_raw(average: str, *, of_optimizer: bool) -> str:
    """Empty where the name is not that of an average."""
    if of_optimizer and "/average/" in f"/{average}":
        return f"/{average}".partition("/average/")[2]
    return average.removesuffix(_TF1) if average.endswith(_TF1) else ""


def _held_with(graph: CheckpointGraph, average: int) -> frozenset[int]:
    """What the models hold that hold the optimizer of this average: a compiled model does."""
    lists = (graph.nodes[one].children.get(_LIST, 0) for one in graph.optimizers)
    owning = {
        one
        for one, number in zip(graph.optimizers, lists, strict=True)
        if number and average in graph.nodes[number].children.values()
    }
    parents = [n for n, node in enumerate(graph.nodes) if owning & set(node.children.values())]
    return frozenset(node for parent in parents if parent for node in graph.below(parent))

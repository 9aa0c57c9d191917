"""Moving averages in the place of the raw weights: `weights = "ema"`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from ckpt_action.checkpoint.records import Role
from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.records import Attempt, Candidate, Source, Value
from ckpt_action.errors import ExitCode, fail

_AVERAGES = "_model_variables_moving_average"
_TF1 = "/ExponentialMovingAverage"


def averaged(attempt: Attempt, source: Source) -> Attempt:
    """The complete `attempt` with the average of every trainable variable in its place.

    Raises RESTORE with the list of those that have none. Averages live in the optimizer: as lists
    beside its variables (Keras 3), under `<optimizer>/average/<variable>` (Keras 2.11 to 2.15), as
    `average` slots (TensorFlow Addons), or as `<variable>/ExponentialMovingAverage` (TF1).
    """
    averages: dict[str, set[str]] = defaultdict(set)
    values: dict[str, Value] = {}
    for raw, average in _averages(attempt, source):
        averages[raw].add(average.key)
        values[average.key] = average
    lacking, bound = [], []
    for candidate in attempt.bound:
        live, keys = candidate.variable, averages[candidate.value.key]
        if not live.trainable:
            bound.append(candidate)
        elif len(keys) == 1 and values[next(iter(keys))].shape == live.shape:
            bound.append(replace(candidate, value=values[next(iter(keys))]))
        else:
            lacking.append(live.path)
    if lacking:
        raise fail(
            ExitCode.RESTORE,
            f"The checkpoint has no moving average for {len(lacking)} of "
            f"{sum(c.variable.trainable for c in attempt.bound)} trainable variables.",
            hint='Leave out `weights = "ema"`, or save the optimizer that keeps the averages in '
            "the checkpoint.",
            details=lacking,
        )
    count = sum(c.variable.trainable for c in bound)
    note = f"moving averages for {count} trainable variables"
    return replace(attempt, bound=tuple(bound), notes=(*attempt.notes, note))


def _averages(attempt: Attempt, source: Source) -> Iterator[tuple[str, Value]]:
    """(key of the raw value, its average)."""
    if source.graph is None:
        for candidate in attempt.bound:
            average = source.values.get(candidate.value.key + _TF1)
            if average is not None:
                yield candidate.value.key, average
        return
    graph = CheckpointGraph(source)
    yield from _slots(graph)
    for optimizer in graph.optimizers:
        yield from _listed(graph, optimizer)
    yield from _named(graph, attempt.bound)


def _slots(graph: CheckpointGraph) -> Iterator[tuple[str, Value]]:
    for node in graph.nodes:
        for original, name, slot in node.slots:
            raw, average = graph.value(original), graph.value(slot)
            if name == "average" and raw is not None and average is not None:
                yield raw.key, average


def _listed(graph: CheckpointGraph, optimizer: int) -> Iterator[tuple[str, Value]]:
    children = graph.nodes[optimizer].children
    if "_trainable_variables" not in children or _AVERAGES not in children:
        return
    raw = graph.nodes[children["_trainable_variables"]].children
    averages = graph.nodes[children[_AVERAGES]].children
    if raw.keys() != averages.keys():
        return
    for index in raw:
        one, average = graph.value(raw[index]), graph.value(averages[index])
        if one is not None and average is not None:
            yield one.key, average


def _named(graph: CheckpointGraph, bound: tuple[Candidate, ...]) -> Iterator[tuple[str, Value]]:
    """By the variable's name when it was saved, where that name is the only one of its kind."""
    by_name: dict[str, list[Value]] = defaultdict(list)
    for node in range(len(graph.nodes)):
        value = graph.value(node)
        if value is None or graph.role(node, 0) is not Role.MODEL:
            continue
        name = value.full_name
        if "/average/" in name:
            by_name[name.partition("/average/")[2]].append(value)
        elif name.endswith(_TF1):
            by_name[name.removesuffix(_TF1)].append(value)
    names = [c.value.full_name for c in bound]
    for candidate in bound:
        found = by_name.get(candidate.value.full_name, [])
        if len(found) == 1 and names.count(candidate.value.full_name) == 1:
            yield candidate.value.key, found[0]

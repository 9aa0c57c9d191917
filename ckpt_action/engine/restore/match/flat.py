"""SavedModels of `model.export` in Keras 3: a bare list of the model's variables in their order.

Beside `variables` such a file holds copies of the same values (`_all_variables`), which have to be
equal to what is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ckpt_action.checkpoint.records import Role
from ckpt_action.config.records import Restore
from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.match.attempt import judge
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Source,
    Value,
)
from ckpt_action.engine.restore.sources.graph import CheckpointGraph

_LISTS = {"variables", "trainable_variables", "non_trainable_variables"}


def attempt_flat(
    model: LiveModel, graph: CheckpointGraph, source: Source, rules: Restore
) -> Attempt | None:
    """None where the file is no such list, or of another length."""
    top = graph.nodes[0].children
    if not top.keys() >= _LISTS:
        return None
    stored = graph.nodes[top["variables"]].children
    values = [graph.value(stored[str(i)]) for i in range(len(stored)) if str(i) in stored]
    listed = list(_listed(model))
    if len(values) != len(listed):
        return None
    candidates = {
        live.path: (Candidate(variable=live, value=value, ordered=True),)
        for live, value in zip(listed, values, strict=True)
        if value is not None and not live.state
    }
    used = [found[0].value for found in candidates.values()]
    rest = [v for v in _others(graph, used) if not _is_copy(v, used, source)]
    attempt = judge(model, candidates, [*used, *rest], rules)
    seeds = len(values) - len(used)
    return replace(
        attempt,
        route="order of variables",
        ignored={Role.OTHER: seeds},
        loose_tables=tuple(table for node in graph.below(0) if (table := graph.table(node))),
    )


def _listed(model: LiveModel) -> Iterator[LiveVariable]:
    by_id = {id(v.variable): v for v in model.variables}
    for item in getattr(model.root, "variables", ()):
        live = by_id.get(id(raw_variable(item)))
        if live is not None:
            yield live


def _others(graph: CheckpointGraph, used: list[Value]) -> Iterator[Value]:
    keys = {value.key for value in used}
    for node in graph.below(0):
        value = graph.value(node)
        if value is not None and value.key not in keys and graph.role(node, 0) is Role.MODEL:
            yield value


def _is_copy(value: Value, used: list[Value], source: Source) -> bool:
    content = source.read(value.key).tobytes()
    return any(
        (value.full_name, value.shape, value.dtype) == (one.full_name, one.shape, one.dtype)
        and source.read(one.key).tobytes() == content
        for one in used
    )

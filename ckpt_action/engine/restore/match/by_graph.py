"""Bind by walking both object graphs: TF2 checkpoints, SavedModels, Keras 3 weights files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ckpt_action.checkpoint.records import Role
from ckpt_action.config.records import Restore
from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.match.attempt import judge
from ckpt_action.engine.restore.match.exchangeable import told_by_order
from ckpt_action.engine.restore.match.match import Found, Vocabulary, Walk
from ckpt_action.engine.restore.optimizer.names import named_by_slots
from ckpt_action.engine.restore.optimizer.trained import hidden_values, trained_values
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Value,
)
from ckpt_action.engine.restore.sources.graph import CheckpointGraph
from ckpt_action.engine.some_of import some_of


@dataclass(frozen=True, kw_only=True)
class GraphRoute:
    """One way of reading a file as a graph of objects."""

    name: str
    graph: CheckpointGraph
    vocabulary: Vocabulary


def attempt_at(
    model: LiveModel, route: GraphRoute, node: int, root: str, rules: Restore
) -> Attempt:
    """Lay the model over the objects below `node`."""
    graph = route.graph
    found = Walk(model, graph, route.vocabulary).run(model.root, node)
    trained = trained_values(model, graph, node, found.values)
    candidates = {
        variable.path: tuple(_candidates(variable, found, graph))
        or tuple(_hidden(variable, trained.values, graph, model))
        for variable in model.own()
    }
    used = {c.value.key for several in candidates.values() for c in several}
    below = graph.below(node, frozenset(found.aside))
    values = _model_values(graph, node, below, found, used)
    dropped = [n for n in below if n in graph.likely_metrics]
    loose = [graph.table(number) for number in below if number not in found.tables]
    attempt = judge(model, candidates, values.values(), rules)
    lost = {id(v.variable) for v in attempt.missing} & _variables_below(found.unseen, model)
    return replace(
        attempt,
        route=route.name,
        root=root,
        ignored=_ignored(graph, node, below, found, {*used, *values}) if attempt.complete else {},
        likely_metrics=tuple(graph.paths[n] for n in dropped if not _filled(n, graph, used)),
        never_saved=tuple(v for v in attempt.missing if id(v.variable) in lost),
        disputed=tuple(trained.disputed),
        tables=tuple((t.item, graph.table(n)) for n, met in found.tables.items() for t in met),
        alike_tables=tuple(told_by_order(found, graph, attempt.bound)),
        loose_tables=tuple(table for table in loose if table),
        notes=tuple(_state_note(graph, node)),
    )


def _candidates(
    variable: LiveVariable, found: Found, graph: CheckpointGraph
) -> Iterator[Candidate]:
    """One candidate per stored key: a node that several routes lead to is one candidate."""
    by_key: dict[str, tuple[Value, bool]] = {}
    counted = set()
    holders: dict[str, set[int]] = defaultdict(set)
    for node, ordered in found.values.get(id(variable.variable), {}).items():
        value = graph.value(node)
        if value is not None:
            known = by_key.get(value.key)
            by_key[value.key] = (value, ordered and (known is None or known[1]))
            counted |= {value.key} if node in found.counted else set()
            holders[value.key] |= found.holders[id(variable.variable), node]
    for key, (value, ordered) in by_key.items():
        yield Candidate(
            variable=variable,
            value=value,
            ordered=ordered,
            counted=key in counted,
            holders=frozenset(holders[key]),
        )


def _hidden(
    variable: LiveVariable,
    trained: Mapping[int, Iterable[int]],
    graph: CheckpointGraph,
    model: LiveModel,
) -> Iterator[Candidate]:
    """What the lists of optimizers have for a variable that hangs nowhere else."""
    for node in trained.get(id(variable.variable), ()):
        value = graph.value(node)
        if value is not None:
            named = named_by_slots(value, node, variable, graph, model)
            yield Candidate(variable=variable, value=named, ordered=True)


def _model_values(
    graph: CheckpointGraph, root: int, below: Sequence[int], found: Found, used: set[str]
) -> dict[str, Value]:
    """What the model below `root` has to use beside `used`, by key."""
    own = [n for n in below if n not in found.aside and graph.role(n, root) is Role.MODEL]
    hidden = hidden_values(graph, root)
    values = [v for n in own if (v := graph.value(n)) is not None]
    strangers = [value for number in below for value in graph.strangers(number)]
    lost = [v for n in hidden if (v := graph.value(n)) is not None]
    return {v.key: v for v in (*values, *strangers, *lost) if v.key not in used}


def _ignored(
    graph: CheckpointGraph, root: int, below: Sequence[int], found: Found, known: set[str]
) -> Mapping[Role, int]:
    """How many values of which role are not `known` as those of the model below `root`."""
    inside = set(below)
    ignored: Counter[Role] = Counter()
    for number in range(len(graph.nodes)):
        role, value = graph.role(number, root), graph.value(number)
        if role is None or (value is not None and value.key in known):
            continue
        if number in found.aside:
            ignored[Role.OTHER] += 1
        elif number not in inside:
            ignored[Role.OPTIMIZER if number in graph.optimizer_values else role] += 1
        elif role is not Role.TABLE:
            ignored[role] += 1
    return ignored


def _filled(node: int, graph: CheckpointGraph, used: set[str]) -> bool:
    """Whether variables of the model took what hangs directly below `node`."""
    held = [v for child in graph.nodes[node].children.values() if (v := graph.value(child))]
    return any(value.key in used for value in held)


def _state_note(graph: CheckpointGraph, root: int) -> Iterator[str]:
    states = [graph.paths[node] for node in graph.below(root) if node in graph.states]
    if states:
        shown = some_of(states, 10)
        yield f"states that recurrent layers carried over in training are not restored: {shown}"


def _variables_below(items: list[Any], model: LiveModel) -> set[int]:
    found: set[int] = set()
    seen: dict[int, Any] = {}
    queue = list(items)
    while queue:
        item = queue.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        variable = raw_variable(item)
        if variable is not None:
            found.add(id(variable))
        else:
            queue.extend(child.item for child in model.edges.below(item))
    return found

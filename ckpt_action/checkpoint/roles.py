"""What each stored value is for, found by walking the object graph, never by its key.

Keys mislead: Keras 3 stores a weight that an optimizer shares under the optimizer's key, and
people name an optimizer `train_op` and an encoder `tokenizer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ckpt_action.checkpoint.bundle_index import BundleEntry
from ckpt_action.checkpoint.object_paths import object_paths
from ckpt_action.checkpoint.records import ObjectGraph, ObjectNode, Role

VALUE = "VARIABLE_VALUE"
_INTEGERS = ("int32", "int64", "uint32", "uint64", "int16", "int8", "uint8")
_MEAN = {"total", "count"}
_METRIC_STATES = (
    {"true_positives", "true_negatives", "false_positives", "false_negatives"},
    {"total_cm"},
)
_METRIC_EDGES = ("_metrics", "_loss_tracker", "_compile_metrics")
_SEED_EDGES = ("seed_generator", "_seed_generators", "_random_generator")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The reading of one object graph."""

    by_key: Mapping[str, Role]
    """Checkpoint key to role; keys that the graph does not mention are absent."""
    full_names: Mapping[str, str]
    """Checkpoint key to the variable's name when it was saved."""
    paths: Mapping[str, str]
    """Checkpoint key below an optimizer to where the model has the value."""
    roots: Mapping[str, Role]
    """Children of the saved object and what each is."""
    optimizers: frozenset[int]
    """The nodes that are optimizers, those that wrap others included."""


def read_roles(graph: ObjectGraph, entries: Mapping[str, BundleEntry]) -> Roles:
    """Role of every value that `graph` mentions."""
    walk = _Walk(graph, entries)
    by_key: dict[str, Role] = {}
    full_names: dict[str, str] = {}
    for number, node in enumerate(graph.nodes):
        for attribute, (full_name, key) in node.attributes.items():
            full_names[key] = full_name
            if attribute == VALUE:
                by_key[key] = walk.role(number)
            elif attribute.startswith("table"):
                by_key |= dict.fromkeys((key, f"{key}-keys", f"{key}-values"), Role.TABLE)
            else:
                by_key[key] = Role.OTHER
    roots = {
        name: _gathered(walk.below(child), graph, by_key)
        if child not in walk.optimizers
        else Role.OPTIMIZER
        for name, child in graph.nodes[0].children.items()
        if child != 0
    }
    return Roles(
        by_key=by_key,
        full_names=full_names,
        paths=dict(_paths_in_model(graph, walk, by_key)),
        roots=roots,
        optimizers=frozenset(walk.optimizers),
    )


def _paths_in_model(
    graph: ObjectGraph, walk: _Walk, by_key: Mapping[str, Role]
) -> Iterator[tuple[str, str]]:
    paths = object_paths(graph.nodes, walk.optimizers)
    ways = tuple(f"{paths[optimizer]}/" for optimizer in walk.optimizers if optimizer in paths)
    for number, node in enumerate(graph.nodes):
        _, key = node.attributes.get(VALUE, ("", ""))
        path = paths.get(number, "")
        if key.startswith(ways) and by_key[key] is Role.MODEL and not path.startswith(ways):
            yield key, path


def recurrent_states(graph: ObjectGraph) -> frozenset[int]:
    """The nodes of what stateful recurrent layers of Keras 3 carried over from batch to batch.

    They hang below `states` of a layer with a `cell`, and Keras calls every one `rnn_state`; a
    learned first state is called otherwise.
    """
    found: set[int] = set()
    queue = [
        node.children["states"] for node in graph.nodes if {"cell", "states"} <= set(node.children)
    ]
    while queue:
        node = graph.nodes[number := queue.pop()]
        name, _ = node.attributes.get(VALUE, ("", ""))
        if name.rpartition("/")[2] == "rnn_state":
            found.add(number)
        queue.extend(node.children.values())
    return frozenset(found)


def _gathered(below: Iterable[int], graph: ObjectGraph, by_key: Mapping[str, Role]) -> Role:
    """The role of a whole part: that of its most important value."""
    found = {by_key[key] for node in below for _, key in graph.nodes[node].attributes.values()}
    order = (Role.MODEL, Role.TABLE, Role.COUNTER, Role.OPTIMIZER)
    return next((role for role in order if role in found), Role.OTHER)


class _Walk:
    """Which nodes are reached through the model, and which only through something else."""

    def __init__(self, graph: ObjectGraph, entries: Mapping[str, BundleEntry]) -> None:
        self.nodes = graph.nodes
        self.entries = entries
        self.optimizers = set(optimizers(self.nodes))
        self.slots = {slot for node in self.nodes for _, _, slot in node.slots}
        self.states = recurrent_states(graph)
        self.model = self._reached([0])
        # Keras 3 optimizers hold the variables that they train; list-held layers only there.
        trained = [
            self.nodes[number].children["_trainable_variables"]
            for number in self.optimizers
            if "_trainable_variables" in self.nodes[number].children
        ]
        self.model |= self._reached(trained)
        self.optimizer = self._reached(self.optimizers, everything=True) | self.slots

    def below(self, start: int) -> set[int]:
        return self._reached([start])

    def role(self, number: int) -> Role:
        """Of the variable at node `number`."""
        if number in self.model and number not in self.slots:
            return Role.COUNTER if self._counts(number) else Role.MODEL
        return Role.OPTIMIZER if number in self.optimizer else Role.OTHER

    def _counts(self, number: int) -> bool:
        """Integers on their own beside the model: `save_counter`, epochs, steps."""
        entry = self.entries.get(self.nodes[number].attributes[VALUE][1])
        if entry is None or entry.shape != () or entry.dtype not in _INTEGERS:
            return False
        return number in self.nodes[0].children.values() or number in self._global_steps()

    def _global_steps(self) -> Iterator[int]:
        return (
            node.children["global_step"] for node in self.nodes if "global_step" in node.children
        )

    def _reached(self, start: Iterable[int], *, everything: bool = False) -> set[int]:
        seen: set[int] = set()
        queue = list(start)
        while queue:
            number = queue.pop()
            if number in seen or (not everything and self._apart(number)):
                continue
            seen.add(number)
            for edge, child in self.nodes[number].children.items():
                if everything or not self._leads_away(edge, child):
                    queue.append(child)
        return seen

    def _apart(self, number: int) -> bool:
        aside = number in self.optimizers or number in self.states
        return aside or _is_metric(self.nodes[number], self.nodes)

    def _leads_away(self, edge: str, child: int) -> bool:
        """Edges to metrics and random states, by names that Keras and TensorFlow give."""
        if edge in _METRIC_EDGES or edge in _SEED_EDGES:
            return True
        if edge == "_state_var":
            entry = self.entries.get(self.nodes[child].attributes.get(VALUE, ("", ""))[1])
            return entry is not None and entry.dtype == "int64"
        return False


def optimizers(nodes: tuple[ObjectNode, ...]) -> Iterator[int]:
    """Optimizers of every generation, by the structure that each leaves."""
    plain = {number for number, node in enumerate(nodes) if _is_optimizer(node)}
    yield from plain
    for number, node in enumerate(nodes):
        wrapped = [node.children.get(edge) for edge in ("base_optimizer", "inner_optimizer")]
        if set(node.children) == {"optimizer", "global_step"}:  # tf.keras around tf.train.Optimizer
            wrapped.append(node.children["optimizer"])
        if plain.intersection(child for child in wrapped if child is not None):
            yield number


def _is_optimizer(node: ObjectNode) -> bool:
    edges = set(node.children)
    return (
        bool(node.slots)  # tf.train.Optimizer and Keras up to 2.10, with slot variables
        or {"iter", "decay"} <= edges  # the same Keras, without
        or {"_variables", "_iterations"} <= edges  # Keras from 2.11 on, and Keras 3
    )


def _is_metric(node: ObjectNode, nodes: tuple[ObjectNode, ...]) -> bool:
    """By the names of a mean's variables too: others have `total` and `count` as attributes."""
    edges = set(node.children) - {"keras_api", "variables", "_fn_kwargs"}
    if edges == _MEAN:
        held = {edge: nodes[node.children[edge]].attributes.get(VALUE) for edge in edges}
        return all(value is not None and value[0] == edge for edge, value in held.items())
    return any(states == edges for states in _METRIC_STATES)

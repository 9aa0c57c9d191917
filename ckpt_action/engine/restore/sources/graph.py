"""The checkpoint's side: which values belong to the model below a root, and what the others are.

Roles come from the shape of the object graph, never from the names of keys: Keras 3 stores the
model's own weights under `optimizer/_trainable_variables/N`, and people call an encoder `tokenizer`
and an optimizer `train_op`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from ckpt_action.checkpoint.object_paths import object_paths
from ckpt_action.checkpoint.records import ObjectNode, Role
from ckpt_action.checkpoint.roles import recurrent_states
from ckpt_action.engine.restore.records import Source, Value

VALUE = "VARIABLE_VALUE"

_CONFUSION = {"true_positives", "true_negatives", "false_positives", "false_negatives"}
_MEAN = {"total", "count"}
_LONE_METRIC_VALUES = ({"total"}, {"accumulator"}, {"total_cm"})
_METRIC_LISTS = ("_metrics", "metrics")
"""Edges by which Keras keeps metrics, in lists."""
_UNREADABLE = {"variant", "resource"}
_SAVED_MODEL_ONLY = {"keras_api", "signatures"}
_COUNTERS = {"int32", "int64", "uint32", "uint64"}


class CheckpointGraph:
    """An object graph together with the values that its nodes hold."""

    def __init__(self, source: Source) -> None:
        assert source.graph is not None
        self.nodes = source.graph.nodes
        self.optimizers = source.optimizers
        self.states = recurrent_states(source.graph)
        """What stateful recurrent layers carried over when the checkpoint was saved."""
        self._values = source.values

    def value(self, node: int) -> Value | None:
        """The variable's value that `node` holds, with its readable path; None: holds none."""
        attribute = self.nodes[node].attributes.get(VALUE)
        if attribute is None or attribute[1] not in self._values:
            return None
        found = self._values[attribute[1]]
        if found.dtype in _UNREADABLE:
            return None
        return Value(
            key=found.key,
            dtype=found.dtype,
            shape=found.shape,
            full_name=attribute[0] or found.full_name,
            path=self.paths.get(node, found.key),
        )

    def table(self, node: int) -> dict[str, Value]:
        """The `keys` and `values` of the lookup table that `node` holds; empty: holds none."""
        found = {}
        for name, (_, key) in self.nodes[node].attributes.items():
            for part in ("keys", "values"):
                stored = key if name.endswith(f"-{part}") else f"{key}-{part}"
                if name.startswith("table") and stored in self._values:
                    found[part] = self._values[stored]
        return found if len(found) == 2 else {}

    def strangers(self, node: int) -> list[Value]:
        """Numbers that `node` holds in a form of its own, which no variable can take."""
        if self.table(node):
            return []
        keys = [key for name, (_, key) in self.nodes[node].attributes.items() if name != VALUE]
        found = [self._values[key] for key in keys if key in self._values]
        return [value for value in found if value.dtype not in {"string", *_UNREADABLE}]

    @cached_property
    def paths(self) -> Mapping[int, str]:
        return object_paths(self.nodes, self.optimizers)

    @cached_property
    def everything(self) -> frozenset[int]:
        """Nodes of all that was saved beside the optimizers."""
        return frozenset(self.below(0))

    @cached_property
    def optimizer_values(self) -> frozenset[int]:
        """Nodes that only an optimizer leads to, its slot variables included."""
        slots = {slot for node in self.nodes for _, _, slot in node.slots}
        reached, queue = set(slots), [*self.optimizers]
        while queue:
            number = queue.pop()
            if number not in reached:
                reached.add(number)
                queue.extend(self.nodes[number].children.values())
        return frozenset(reached - self.everything)

    def below(self, root: int, aside: frozenset[int] = frozenset()) -> list[int]:
        """Nodes that belong to the model at `root`, as one reads them from top to bottom; not
        entering optimizers nor `aside`."""
        found: dict[int, None] = {}
        stack = [root]
        while stack:
            node = stack.pop()
            if node in found:
                continue
            found[node] = None
            for name, child in reversed(tuple(self.nodes[node].children.items())):
                if not (child in aside or name in _SAVED_MODEL_ONLY or child in self.optimizers):
                    stack.append(child)
        return list(found)

    def has_weights(self, root: int) -> bool:
        """Whether a layer at `root` holds anything that Keras would count as a weight."""
        return any(self.role(n, root) is Role.MODEL for n in self.below(root))

    def role(self, number: int, root: int) -> Role | None:
        """What the value of a node below `root` is for; None where it holds no value."""
        if number in self._whole_numbers and any(
            number in self.nodes[parent].children.values() for parent in (0, root)
        ):
            return Role.COUNTER
        return self._roles[number]

    @cached_property
    def _roles(self) -> Sequence[Role | None]:
        """By node; a counter is still a value of the model."""
        return [self._role(number) for number in range(len(self.nodes))]

    def _role(self, number: int) -> Role | None:
        if self.table(number):
            return Role.TABLE
        value = self.value(number)
        if value is None:
            attributes = self.nodes[number].attributes.values()
            return Role.OTHER if any(key in self._values for _, key in attributes) else None
        if _is_seed(value) or number in self.states or number in self._metric_values:
            return Role.OTHER
        return Role.MODEL

    @cached_property
    def _whole_numbers(self) -> frozenset[int]:
        """Nodes of values that count something, if they hang where people hang counters."""
        found = ((n, self.value(n)) for n, role in enumerate(self._roles) if role is Role.MODEL)
        return frozenset(n for n, v in found if v and v.shape == () and v.dtype in _COUNTERS)

    @cached_property
    def likely_metrics(self) -> frozenset[int]:
        """Objects whose values Keras calls as it calls those of a mean, and lists nowhere: metrics
        that a Keras 2 model has as attributes, or what a person named alike."""
        means = (n for n, node in enumerate(self.nodes) if self._is_mean(self._held(node)))
        return frozenset(means) - self._listed_metrics

    @cached_property
    def _listed_metrics(self) -> frozenset[int]:
        lists = [n.children[e] for n in self.nodes for e in _METRIC_LISTS if e in n.children]
        return frozenset(c for number in lists for c in self.nodes[number].children.values())

    @cached_property
    def _metric_values(self) -> frozenset[int]:
        return frozenset(
            child
            for number, node in enumerate(self.nodes)
            for child in self._metric(node, listed=number in self._listed_metrics)
        )

    def _metric(self, node: ObjectNode, *, listed: bool) -> Iterator[int]:
        """The value nodes of a metric, by the accumulators that belong together. One accumulator
        alone says too little: then Keras has to list the object as a metric."""
        held = self._held(node)
        confusion = held.keys() <= _CONFUSION and len(held) > 1
        mean = self._is_mean(held) or (listed and held.keys() == _MEAN)
        if mean or confusion or (listed and held.keys() in _LONE_METRIC_VALUES):
            yield from (node.children[name] for name in held)

    def _held(self, node: ObjectNode) -> dict[str, Value]:
        return {n: v for n, c in node.children.items() if (v := self.value(c)) is not None}

    def _is_mean(self, held: Mapping[str, Value]) -> bool:
        """By the names too that Keras 2 gives the variables of a metric: a running normaliser in
        plain TensorFlow has `total` and `count` as attributes, but they are called `Variable`."""
        named = all(value.full_name == name for name, value in held.items())
        return held.keys() == _MEAN and named and held["total"].shape == held["count"].shape


def _is_seed(value: Value) -> bool:
    name = value.full_name.rsplit("/", 1)[-1].split(":")[0]
    return (name == "seed_generator_state" and value.shape == (2,)) or (
        name == "StateVar" and value.dtype == "int64" and len(value.shape) == 1
    )

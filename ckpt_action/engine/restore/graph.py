"""The checkpoint's side: which values belong to the model below a root, and what the others are.

Roles come from the shape of the object graph, never from the names of keys: Keras 3 stores the
model's own weights under `optimizer/_trainable_variables/N`, and people call an encoder `tokenizer`
and an optimizer `train_op`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import cached_property

from ckpt_action.checkpoint.records import ObjectNode, Role
from ckpt_action.checkpoint.roles import recurrent_states
from ckpt_action.engine.restore.records import Source, Value

VALUE = "VARIABLE_VALUE"

_CONFUSION = {"true_positives", "true_negatives", "false_positives", "false_negatives"}
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
        """The `keys` and `values` of the lookup table that `node` holds; empty: holds none, or an
        empty one."""
        found = {}
        for name, (_, key) in self.nodes[node].attributes.items():
            for part in ("keys", "values"):
                stored = key if name.endswith(f"-{part}") else f"{key}-{part}"
                if name.startswith("table") and stored in self._values:
                    found[part] = self._values[stored]
        return found if len(found) == 2 and 0 not in found["keys"].shape else {}

    def strangers(self, node: int) -> list[Value]:
        """Numbers that `node` holds in a form of its own, which no variable can take."""
        if self.table(node):
            return []
        keys = [key for name, (_, key) in self.nodes[node].attributes.items() if name != VALUE]
        found = [self._values[key] for key in keys if key in self._values]
        return [value for value in found if value.dtype not in {"string", *_UNREADABLE}]

    @cached_property
    def paths(self) -> Mapping[int, str]:
        """The shortest path of each node from the saved object, around optimizers where it can."""
        paths: dict[int, str] = {0: ""}
        first, last = deque([0]), deque[tuple[str, int]]()
        while first or last:
            if first:
                node = first.popleft()
            else:
                path, node = last.popleft()
                if node in paths:
                    continue
                paths[node] = path
            for name, child in self.nodes[node].children.items():
                path = f"{paths[node]}/{name}" if paths[node] else name
                if self.optimizers & {child, node}:
                    last.append((path, child))
                elif child not in paths:
                    paths[child] = path
                    first.append(child)
        return paths

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
        return frozenset(reached - set(self.below(0)))

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
        node = self.nodes[number]
        if self.table(number):
            return Role.TABLE
        value = self.value(number)
        if value is None:
            held = any(key in self._values for _, key in node.attributes.values())
            return Role.OTHER if held else None
        if _is_seed(value) or number in self.states or number in self._metric_values:
            return Role.OTHER
        direct = number in {*self.nodes[0].children.values(), *self.nodes[root].children.values()}
        if direct and value.shape == () and value.dtype in _COUNTERS:
            return Role.COUNTER
        return Role.MODEL

    @cached_property
    def _metric_values(self) -> frozenset[int]:
        lists = [n.children[e] for n in self.nodes for e in _METRIC_LISTS if e in n.children]
        listed = {child for number in lists for child in self.nodes[number].children.values()}
        return frozenset(
            child
            for number, node in enumerate(self.nodes)
            for child in self._metric(node, listed=number in listed)
        )

    def _metric(self, node: ObjectNode, *, listed: bool) -> Iterator[int]:
        """The value nodes of a metric, by the accumulators that belong together. One accumulator
        alone says too little: then Keras has to list the object as a metric."""
        held = {n: v for n, c in node.children.items() if (v := self.value(c)) is not None}
        mean = held.keys() == {"total", "count"} and held["total"].shape == held["count"].shape
        confusion = held.keys() <= _CONFUSION and len(held) > 1
        if mean or confusion or (listed and held.keys() in _LONE_METRIC_VALUES):
            yield from (node.children[name] for name in held)


def _is_seed(value: Value) -> bool:
    name = value.full_name.rsplit("/", 1)[-1].split(":")[0]
    return (name == "seed_generator_state" and value.shape == (2,)) or (
        name == "StateVar" and value.dtype == "int64" and len(value.shape) == 1
    )

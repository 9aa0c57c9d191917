"""The vocabulary of Keras' weights files: `layers/dense_1/vars/0`.

Objects are stored at the first attribute that leads to them. In a list, tuple or dict, and in a
model's `layers`, they are named after their class and counted, not after their own name; what was
stored at another place before is left out, and Keras 2 does not count it either. The early layout
(TensorFlow 2.12 and 2.13) counts each layer of `_layer_checkpoint_dependencies` twice. So members
of one class are paired by their rank. Source: saving_lib.py of Keras 2.13 to 3.15.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.match.match import By, Pair, Walk, names_taken, stored_as
from ckpt_action.engine.restore.model.live import is_layer

_LAYERS = ("layers", "_layer_checkpoint_dependencies")
_METRICS = ("metrics", "_metrics")
"""Attributes in which Keras keeps a model's metrics."""


class SavedNames:
    """Pairs in a `.weights.h5`, sharded or in a `.keras` archive."""

    def pairs(self, item: Any, node: int, walk: Walk) -> Iterator[Pair]:
        stored = walk.graph.nodes[node].children
        if isinstance(item, (list, tuple, dict)):
            yield from _members(item, stored, walk)
            return
        below = walk.edges.below(item)
        taken = names_taken(below, stored)
        for child in below:
            for found in stored_as(child, stored, taken):
                yield Pair(item=child.item, node=found, by=By.NAME)
        if not is_layer(item):
            return
        walk.found.aside.update(stored[name] for name in _METRICS if name in stored)
        values = walk.graph.nodes[stored["vars"]].children if "vars" in stored else {}
        for key, variable in own_state(item).items():
            if key in values:
                if key.isdigit() and not _is_keras_own(item):
                    walk.found.counted.add(values[key])
                yield Pair(item=variable, node=values[key], by=By.NAME)
        for name in _LAYERS:
            if name in stored and hasattr(item, "layers"):
                yield Pair(item=tuple(item.layers), node=stored[name], by=By.REST)


def _members(item: Any, stored: Mapping[str, int], walk: Walk) -> Iterator[Pair]:
    """Members of a container and their nodes, class by class."""
    live: dict[str, list[Any]] = defaultdict(list)
    for member in item.values() if isinstance(item, dict) else item:
        if is_layer(member) or isinstance(member, (list, tuple, dict)):
            live[class_name(member)].append(member)
    for family, everyone in live.items():
        nodes = _ranked(family, stored, walk)
        members = [member for member in everyone if walk.has_weights(member)]
        if len(members) != len(nodes):
            members = [member for member in members if not walk.is_paired(member)]
        if len(members) == len(nodes):
            for member, node in zip(members, nodes, strict=True):
                yield Pair(item=member, node=node, by=By.ORDER)


def _ranked(family: str, stored: Mapping[str, int], walk: Walk) -> list[int]:
    """The nodes of one class that hold anything, in the order of their numbers."""
    pattern = re.compile(rf"{re.escape(family)}(?:_(\d+))?")
    matches = [(pattern.fullmatch(name), node) for name, node in stored.items()]
    found = [(int(match[1] or 0), node) for match, node in matches if match]
    return [node for _, node in sorted(found) if walk.graph.has_weights(node)]


def class_name(member: Any) -> str:
    """As Keras writes it: `Conv2DTranspose` is `conv2d_transpose`, a nested list `container`."""
    if not is_layer(member):
        return "container"
    return snake(type(member).__name__)


def snake(kind: str) -> str:
    """As Keras names groups of a file, and layers that nobody gave a name: `to_snake_case` in
    keras/src/utils/naming.py."""
    name = re.sub(r"\W+", "", kind)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _is_keras_own(layer: Any) -> bool:
    """Whether Keras itself makes the layer's variables, in an order that is always the same."""
    return type(layer).__module__.split(".")[0] in ("keras", "tf_keras")


def own_state(layer: Any) -> dict[str, Any]:
    """Key to variable as the layer itself stores them.

    Keras 3 layers hand over the variables, so their own `save_own_variables` is asked; Keras 2
    layers hand over arrays, so its rule is followed.
    """
    if hasattr(layer, "_trainable_weights"):
        own = [*layer._trainable_weights, *layer._non_trainable_weights]  # noqa: SLF001
        return {str(index): variable for index, variable in enumerate(own)}
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    stored = {key: _variable(layer, key, held) for key, held in store.items()}
    return {key: variable for key, variable in stored.items() if variable is not None}


def _variable(layer: Any, key: str, held: Any) -> Any | None:
    """What `held` was taken from: of words' weights Keras hands over the values, and
    `TextVectorization` those of the layer inside it, so a file has them twice."""
    if raw_variable(held) is not None:
        return held
    for owner in (layer, getattr(layer, "_lookup_layer", None)):
        if _is_keras_own(owner) and raw_variable(getattr(owner, key, None)) is not None:
            return getattr(owner, key)
    return None

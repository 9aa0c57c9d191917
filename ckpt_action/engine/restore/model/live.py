"""The rebuilt model as named edges between its objects, in every vocabulary that savers use."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.engine.objects import raw_variable

_FOREIGN = frozenset({"builtins", "tensorflow", "keras", "tf_keras", "numpy", "h5py", "wrapt"})
BOOKKEEPING = frozenset({
    "_functional", "_layers", "_operations", "_operations_by_depth", "_nodes", "_nodes_by_depth",
    "_layers_by_depth", "_input_layers", "_output_layers", "_input_coordinates",
    "_output_coordinates", "_nested_inputs", "_nested_outputs", "_inputs", "_outputs",
    "_inputs_struct", "_outputs_struct", "_inbound_nodes", "_outbound_nodes",
    "_inbound_nodes_value", "_outbound_nodes_value", "_trainable_variables",
    "_non_trainable_variables", "_trainable_weights", "_non_trainable_weights", "_variables",
    "_metrics", "_losses", "_tracked", "_tracker", "_self_tracked_trackables", "_seed_generators",
    "_undeleted_layers", "_obj_reference_counts_dict", "_self_unconditional_dependency_names",
    "_self_unconditional_checkpoint_dependencies", "_self_unconditional_deferred_dependencies",
    "_keras_history", "_tensor_usage_count", "_network_nodes", "_created_nodes",
    "_layer_call_argspecs", "_feed_input_names", "_feed_inputs", "_compile_config",
    "_saved_model_inputs_spec", "_parent", "_input_spec", "_call_signature",
    "_compiled_trainable_state", "_submodules",
    "_train_counter", "_test_counter", "_predict_counter", "_steps_per_execution",
})  # fmt: skip
"""Attributes in which Keras counts its own steps, or lists what is reachable by better names."""


@dataclass(kw_only=True)
class Child:
    """One object below another, and the names by which the edge between them is known."""

    item: Any
    names: list[str] = field(default_factory=list)
    """Attribute names, indices, keys."""
    own_name: str = ""
    """The name that a layer's own variable was given in `add_weight`."""
    label: str = ""
    """How to call it to a person."""


def children(item: object) -> list[Child]:
    """What hangs directly below `item` and may hold values."""
    found: dict[int, Child] = {}
    for name, value in _named(item):
        if is_followed(value):
            found.setdefault(_identity(value), Child(item=value)).names.append(name)
    for name, variable in _own_variables(item):
        found.setdefault(_identity(variable), Child(item=variable)).own_name = name
    for layer in getattr(item, "layers", ()) if is_graph_container(item) else ():
        found.setdefault(_identity(layer), Child(item=layer)).label = layer.name
    for child in found.values():
        child.label = child.label or (child.names or [child.own_name])[0]
    return list(found.values())


class Edges:
    """The edges of one model, read once: several walks go along them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, list[Child]]] = {}

    def below(self, item: object) -> list[Child]:
        """As `children`; holds `item` too, since a freed object would lend its id to another."""
        if id(item) not in self._known:
            self._known[id(item)] = (item, children(item))
        return self._known[id(item)][1]


def is_layer(item: object) -> bool:
    return _is_keras(item, "layers.Layer")


def is_graph_container(item: object) -> bool:
    """Functional and Sequential models: their layers have an order of their own."""
    names = {kind.__name__ for kind in type(item).__mro__}
    if not is_layer(item) or not names & {"Sequential", "Functional"}:
        return False
    return (
        "Sequential" in names
        or hasattr(item, "_operations")
        or bool(getattr(item, "_is_graph_network", False))
    )


def is_aside(item: object) -> bool:
    """Optimizers, metrics and losses: held by models, never part of them."""
    kinds = ("optimizers.Optimizer", "metrics.Metric", "losses.Loss", "optimizers.legacy.Optimizer")
    if any(_is_keras(item, kind) for kind in kinds):
        return True
    return isinstance(item, (tf.compat.v1.train.Optimizer, tf.train.ExponentialMovingAverage))


def is_random_state(item: object) -> bool:
    """Generators of random numbers of TensorFlow and of both Keras generations."""
    return isinstance(item, tf.random.Generator) or (
        type(item).__module__.split(".")[0] in ("keras", "tf_keras")
        and type(item).__name__ in ("SeedGenerator", "RandomGenerator")
    )


def holds_states(item: object, name: str) -> bool:
    """Whether the attribute `name` of `item` holds the states that a stateful RNN carries over."""
    return name in ("states", "_states") and (
        _is_keras(item, "layers.RNN") or _is_keras(item, "layers.ConvLSTM1D")
    )


def is_followed(value: object) -> bool:
    if value is None or isinstance(value, (str, bytes, int, float, complex, type)):
        return False
    if isinstance(value, (tf.Tensor, tf.data.Dataset, tf.data.Iterator)):
        return False
    if raw_variable(value) is not None or isinstance(value, (list, tuple, dict)):
        return True
    if is_layer(value) or isinstance(value, tf.Module) or _is_trackable(value):
        return not hasattr(value, "get_concrete_function")
    return (
        is_random_state(value)
        or is_aside(value)
        or isinstance(value, functools.partial)
        or _is_users_object(value)
    )


def _is_users_object(value: object) -> bool:
    """A plain object of the user's own classes, or a method bound to one."""
    if inspect.ismethod(value):
        return is_followed(value.__self__)
    package = type(value).__module__.split(".")[0]
    return (
        package not in _FOREIGN
        and package not in sys.stdlib_module_names
        and hasattr(value, "__dict__")
    )


def _named(item: object) -> Iterator[tuple[str, object]]:
    if isinstance(item, dict):
        yield from ((str(key), value) for key, value in list(item.items()))
    elif isinstance(item, (list, tuple)):
        yield from ((str(index), value) for index, value in enumerate(item))
    elif isinstance(item, functools.partial):
        yield from (("func", item.func), ("args", item.args), ("keywords", item.keywords))
    elif inspect.ismethod(item):
        yield "self", item.__self__
    else:
        keras = is_layer(item)
        for name, value in list(getattr(item, "__dict__", {}).items()):
            if not (keras and name in BOOKKEEPING):
                yield name, value
        if not keras and _is_trackable(item):
            yield from _tracked(item)


def _tracked(item: Any) -> Iterator[tuple[str, object]]:
    """Edges that TensorFlow itself would save by; custom trackables name them as they like."""
    yield from item._trackable_children().items()  # noqa: SLF001


def _own_variables(item: object) -> Iterator[tuple[str, object]]:
    """A Keras layer's own variables by the names given in `add_weight`, where those are unique."""
    if not is_layer(item):
        return
    lists = ("_trainable_variables", "_non_trainable_variables")
    if not hasattr(item, lists[0]):
        lists = ("_trainable_weights", "_non_trainable_weights")
    listed = [v for name in lists for v in getattr(item, name, ())]
    own: list[Any] = [v for v in listed if raw_variable(v) is not None]
    names = [str(v.name).split("/")[-1].split(":")[0] for v in own]
    for name, variable in zip(names, own, strict=True):
        yield (name if names.count(name) == 1 else ""), variable


def _identity(value: object) -> int:
    variable = raw_variable(value)
    return id(value if variable is None else variable)


def _is_trackable(value: object) -> bool:
    return isinstance(value, tf.__internal__.tracking.Trackable)


def _is_keras(item: object, kind: str) -> bool:
    return isinstance(item, _kinds(kind, loaded_keras(3), loaded_keras(2)))


@functools.cache
def _kinds(kind: str, *modules: Any) -> tuple[type, ...]:
    """The class `kind` of each generation of Keras that is loaded."""
    found = []
    for module in modules:
        for part in kind.split("."):
            module = getattr(module, part, None)  # noqa: PLW2901
        if isinstance(module, type):
            found.append(module)
    return tuple(found)

"""Bind by the order of layers and weights: legacy `.h5` files, which keep nothing else.

The order is that of Keras: layers with weights in the order of `model.layers`, in each layer the
trainable weights before the others, nested models flattened. Freezing a layer moves its weights to
the others, so the order at training time is tried as well. Recorded names must not speak against
the order. Source: legacy_h5_format.py of Keras 3, hdf5_format.py of Keras 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ckpt_action.config.records import Restore
from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.match.attempt import judge
from ckpt_action.engine.restore.match.cudnn import Native, native
from ckpt_action.engine.restore.match.frozen import was_frozen
from ckpt_action.engine.restore.model.live import is_aside, is_layer
from ckpt_action.engine.restore.names import contradicted
from ckpt_action.engine.restore.permissions import all_allowed
from ckpt_action.engine.restore.records import (
    Attempt,
    Candidate,
    LiveModel,
    LiveVariable,
    Value,
)
from ckpt_action.engine.restore.sources.weights import LegacySource


def attempt_by_order(model: LiveModel, source: LegacySource, rules: Restore) -> Attempt:
    """Lay the model over the layers of a legacy file."""
    own = {id(v.variable): v for v in model.own()}
    every = [(layer, _orders(layer, own)) for layer in getattr(model.root, "layers", ())]
    layers = [(layer, orders) for layer, orders in every if orders[0]]
    stored = [[source.values[key] for key in keys] for keys in source.layers.values()]
    if len(layers) < len(stored):
        stored = [values for values in stored if not all_allowed(rules.allow_unused, values)]
    candidates: dict[str, tuple[Candidate, ...]] = {}
    fitted: list[Native] = []
    notes: list[str] = []
    if len(layers) == len(stored):
        fitted = [native(layer, v) for (layer, _), v in zip(layers, stored, strict=True)]
        for (layer, orders), found in zip(layers, fitted, strict=True):
            paired = _pair(layer, orders, found.values)
            notes += [*found.notes, *_frozen_note(layer, paired)]
            for path, several in paired.items():
                candidates[path] = candidates.get(path, ()) + several
    candidates |= _top_level(model, source)
    attempt = judge(model, candidates, source.values.values(), rules)
    return replace(
        attempt,
        route="order of layers",
        ignored=dict(source.set_aside),
        unconverted=tuple(reason for found in fitted for reason in found.why_not),
        notes=tuple(notes),
    )


def _pair(
    layer: Any, orders: Sequence[list[LiveVariable]], values: Sequence[Value]
) -> dict[str, tuple[Candidate, ...]]:
    """Candidates of one layer: of the orders that the names allow, those whose shapes fit."""
    usable = [order for order in orders if len(order) == len(values)]
    named = [order for order in usable if _names_allow(order, values)] or usable[:1]
    fitting = [order for order in named if _shapes_fit(order, values)]
    by_name = _by_names(orders[0], values)
    if by_name and not fitting:
        return dict(by_name)
    agreeing = [order for order in fitting if not _contradicted(order, values)]
    if by_name and not agreeing:
        owners = {one.value.key: one.variable for (one,) in by_name.values()}
        if was_frozen(layer, orders[-1], owners, values):
            return dict(by_name)
    fitting = agreeing or fitting or named[:1]
    found: dict[str, dict[str, Candidate]] = {}
    for order in fitting:
        for live, value in zip(order, values, strict=True):
            found.setdefault(live.path, {})[value.key] = Candidate(
                variable=live, value=value, ordered=True, holders=frozenset([id(layer)])
            )
    return {path: tuple(several.values()) for path, several in found.items()}


def _frozen_note(layer: Any, paired: dict[str, tuple[Candidate, ...]]) -> list[str]:
    if all(candidate.ordered for several in paired.values() for candidate in several):
        return []
    why = "the file has them in the order of a model with parts frozen"
    return [f"{layer.name} has its weights by their recorded names: {why}"]


def _contradicted(order: list[LiveVariable], values: Sequence[Value]) -> bool:
    pairs = zip(order, values, strict=True)
    return bool(contradicted(Candidate(variable=o, value=v, ordered=True) for o, v in pairs))


def _by_names(order: list[LiveVariable], values: Sequence[Value]) -> dict[str, tuple[Candidate]]:
    """Candidates of one layer by the recorded names, for one whose parts were frozen in training.
    Empty where the names are not the same on both sides, each once."""
    live = {_own_name(v.path): v for v in order}
    stored = {_own_name(value.full_name): value for value in values}
    if live.keys() != stored.keys() or not len(live) == len(stored) == len(order) == len(values):
        return {}
    return {
        v.path: (Candidate(variable=v, value=stored[name], ordered=False),)
        for name, v in live.items()
    }


def _own_name(name: str) -> tuple[str, ...]:
    """Layer and variable, in the words of Keras 3."""
    parts = name.split(":", maxsplit=1)[0].split("/")[-2:]
    return (*parts[:-1], "kernel" if parts[-1] == "depthwise_kernel" else parts[-1])


def _shapes_fit(order: list[LiveVariable], values: Sequence[Value]) -> bool:
    return all(v.shape == value.shape for v, value in zip(order, values, strict=True))


def _names_allow(order: list[LiveVariable], values: Sequence[Value]) -> bool:
    """Whether no recorded name (`gamma`) belongs to another variable of the same layer."""
    names = {_leaf(live.path) for live in order}
    pairs = [
        (_leaf(v.path), _leaf(value.full_name)) for v, value in zip(order, values, strict=True)
    ]
    return all(live == stored or stored not in names for live, stored in pairs)


def _leaf(name: str) -> str:
    return name.split(":", maxsplit=1)[0].rsplit("/", 1)[-1]


def _orders(layer: Any, own: dict[int, LiveVariable]) -> list[list[LiveVariable]]:
    """The orders in which Keras may have written a layer, the rebuilt model's own order first."""
    parts = list(_parts(layer))
    trainable = [v for first, _ in parts for v in first]
    others = [v for _, second in parts for v in second]
    layerwise = [v for first, second in parts for v in (*first, *second)]
    now = [*layer.trainable_weights, *layer.non_trainable_weights]
    orders = [now, [*trainable, *others], layerwise]
    return [
        [own[i] for i in dict.fromkeys(id(raw_variable(v)) for v in order) if i in own]
        for order in orders
    ]


def _parts(layer: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """(trainable, other) weights that each layer in `layer` owns itself, frozen or not."""
    old = hasattr(layer, "_trainable_weights")
    names = ("weights", "weights") if old else ("variables", "variables")
    yield (
        list(getattr(layer, f"_trainable_{names[0]}", ())),
        list(getattr(layer, f"_non_trainable_{names[1]}", ())),
    )
    inner = getattr(layer, "_self_tracked_trackables" if old else "_layers", ())
    for part in getattr(layer, "layers", None) or inner:
        if is_layer(part) and not is_aside(part):
            yield from _parts(part)


def _top_level(model: LiveModel, source: LegacySource) -> dict[str, tuple[Candidate, ...]]:
    """A subclassed model's own weights, which lie beside the layers under their names."""
    in_layers = {key for keys in source.layers.values() for key in keys}
    beside = [value for key, value in source.values.items() if key not in in_layers]
    names = Counter(_leaf(value.full_name) for value in beside)
    live = Counter(_leaf(v.path) for v in model.own() if "/" not in v.place)
    return {
        v.path: (Candidate(variable=v, value=value, ordered=False),)
        for value in beside
        for v in model.own()
        if "/" not in v.place
        and _leaf(v.path) == _leaf(value.full_name)
        and names[_leaf(v.path)] == live[_leaf(v.path)] == 1
    }

"""One side of a comparison: from a tensor of an architecture back to the layer that computes it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from ckpt_action.engine.layers.layer_kinds import is_idle
from ckpt_action.engine.layers.wiring import Layer, Tensor, Wiring, leaves


class Place(NamedTuple):
    """A tensor, and the calls of nested models that it lies in."""

    within: tuple[tuple[str, int], ...]
    tensor: Tensor

    @property
    def layer(self) -> tuple[str, ...]:
        """The same for all calls of one layer."""
        return (*(name for name, _ in self.within), self.tensor.layer)


class Side:
    """An architecture, and the live model of it where there is one."""

    def __init__(self, wiring: Wiring, model: Any = None) -> None:
        self.wiring = wiring
        self._models: dict[tuple[str, ...], dict[str, Any]] = {(): _members(model)}

    def settled(self, place: Place) -> Place:
        """The place where the value is computed: behind nested models and what only trains."""
        while True:
            layer = self.layer(place)
            if layer.inner is not None:
                call = (layer.name, place.tensor.call)
                outputs = list(layer.inner.outputs.values())
                place = Place((*place.within, call), outputs[place.tensor.output])
            elif layer.kind == "InputLayer" and place.within:
                place = self._given(place)
            elif is_idle(layer.kind) and layer.kind != "InputLayer":
                place = self.below(place, tensors(self.call(place))[0])
            else:
                return place

    def below(self, place: Place, tensor: Tensor) -> Place:
        """The place of an argument."""
        return Place(place.within, tensor)

    def layer(self, place: Place) -> Layer:
        """The entry of the layer that computes it."""
        return self._wiring(place).layers[place.tensor.layer]

    def call(self, place: Place) -> Mapping[str, Any]:
        """The arguments, each under its name where the live layer tells it."""
        wiring = self._wiring(place)
        number = place.tensor.call - wiring.skipped.get(place.tensor.layer, 0)
        return wiring.layers[place.tensor.layer].calls[number]

    def live(self, place: Place) -> Any | None:
        """The live layer; None of an operation, which no model lists among its layers."""
        *within, name = place.layer
        return self._below(tuple(within)).get(name)

    def _below(self, path: tuple[str, ...]) -> dict[str, Any]:
        if path not in self._models:
            self._models[path] = _members(self._below(path[:-1]).get(path[-1]))
        return self._models[path]

    def feeds(self, place: Place) -> int:
        """Which input of the whole model it is."""
        return [tensor.layer for tensor in self.wiring.inputs].index(place.tensor.layer)

    def _wiring(self, place: Place) -> Wiring:
        wiring = self.wiring
        for name, _ in place.within:
            inner = wiring.layers[name].inner
            assert inner is not None
            wiring = inner
        return wiring

    def _given(self, place: Place) -> Place:
        """Of an input of a nested model: what the call of that model gives to it."""
        *around, (name, number) = place.within
        names = [tensor.layer for tensor in self._wiring(place).inputs]
        outer = Place(tuple(around), Tensor(name, number, 0))
        given = self.call(outer)
        first = given["inputs"] if "inputs" in given else given["0"]
        if isinstance(first, Mapping) and place.tensor.layer in first:
            return self.below(outer, first[place.tensor.layer])
        return self.below(outer, tensors({"0": first})[names.index(place.tensor.layer)])


def parameters(layer: Any) -> list[str]:
    """Names of what the layer is called with, in their order."""
    return list(inspect.signature(layer.call).parameters) if layer is not None else []


def named(call: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Arguments by position under the name that they go by too."""
    found = {}
    for key, value in call.items():
        place = int(key) if key.isdigit() else len(names)
        found[names[place] if place < len(names) else key] = value
    return found


def _members(model: Any) -> dict[str, Any]:
    return {layer.name: layer for layer in getattr(model, "layers", ())}


def tensors(call: Mapping[str, Any]) -> list[Tensor]:
    return [leaf for _, leaf in leaves(call) if isinstance(leaf, Tensor)]

"""How the layers of an architecture feed each other, read from the notation of either Keras."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ckpt_action.engine.layers.layer_kinds import is_operation, plain


class Tensor(NamedTuple):
    """What one call of a layer gives."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One entry of an architecture; `inner` where it is a model itself."""

    name: str
    kind: str
    config: Mapping[str, Any]
    operation: bool | None = False
    """Between layers, as `a + b` makes it; None where an HDF5 file does not tell."""
    calls: tuple[Mapping[str, Any], ...] = ()
    """Arguments by position, as `0`, or by name; tensors in them are of class Tensor."""
    inner: Wiring | None = None


@dataclass(frozen=True, kw_only=True)
class Wiring:
    layers: Mapping[str, Layer]
    inputs: tuple[Tensor, ...]
    outputs: Mapping[str, Tensor]
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Layer to the calls that Keras 2 counts before the first that it writes down."""


def wiring(config: Mapping[str, Any]) -> Wiring:
    """Raises LookupError, TypeError, ValueError or AttributeError where it is not as Keras writes
    it."""
    if "output_layers" not in config:
        return _chain(config)
    layers = {layer.name: layer for layer in map(_layer, config["layers"])}
    outputs, inputs = _ends(config["output_layers"]), _ends(config["input_layers"])
    last: dict[str, int] = {}
    for tensor in (*outputs.values(), *(t for layer in layers.values() for t in _used(layer))):
        last[tensor.layer] = max(tensor.call, last.get(tensor.layer, 0))
    skipped = {n: max(0, at + 1 - len(layers[n].calls)) for n, at in last.items()}
    return Wiring(layers=layers, inputs=tuple(inputs.values()), outputs=outputs, skipped=skipped)


def leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What is in lists and dicts, each with its place."""
    if isinstance(item, Mapping):
        for key, value in item.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(item, (list, tuple)) and not isinstance(item, Tensor):
        for index, value in enumerate(item):
            yield from leaves(value, f"{path}/{index}")
    else:
        yield path, item


def _chain(config: Mapping[str, Any]) -> Wiring:
    """A Sequential model: its layers have no `inbound_nodes`."""
    start = tensor = Tensor("", 0, 0)
    layers = {"": Layer(name="", kind="InputLayer", config={})}
    for entry in config["layers"]:
        layer = _layer(entry, calls=({"0": tensor},))
        if layer.kind != "InputLayer":
            layers[layer.name] = layer
            tensor = Tensor(layer.name, 0, 0)
    return Wiring(layers=layers, inputs=(start,), outputs={"": tensor})


def _ends(listed: Any) -> dict[str, Tensor]:
    """Keras counts those of a dict in the order of their keys."""
    found = _tensors(listed)
    return dict(leaves(dict(sorted(found.items())) if isinstance(found, dict) else found))


def _layer(entry: Mapping[str, Any], calls: tuple[Mapping[str, Any], ...] | None = None) -> Layer:
    config, kind = entry["config"], plain(str(entry["class_name"]))
    if calls is None:
        calls = tuple(_arguments(node) for node in entry["inbound_nodes"])
    return Layer(
        name=str(entry.get("name") or config["name"]),
        kind=kind,
        config=config,
        operation=is_operation(entry, kind) or (None if _may_be_operation(entry) else False),
        calls=calls,
        inner=wiring(config) if isinstance(config.get("layers"), list) else None,
    )


def _may_be_operation(entry: Mapping[str, Any]) -> bool:
    """HDF5 files of Keras 3 name no modules; most layers say at least whether they train."""
    nodes = entry.get("inbound_nodes") or ()
    is_keras_3 = any(isinstance(node, Mapping) for node in nodes)
    layers_say = {"trainable", "layers", "batch_shape"}
    return is_keras_3 and "module" not in entry and not layers_say & entry["config"].keys()


def _arguments(node: Any) -> Mapping[str, Any]:
    if isinstance(node, Mapping):  # Keras 3
        placed = {str(index): _decoded(value) for index, value in enumerate(node["args"])}
        return placed | {name: _decoded(value) for name, value in node["kwargs"].items()}
    named = _named(node)
    inputs = _tensors(node)
    if isinstance(inputs, list) and len(inputs) == 1:
        inputs = inputs[0]
    return {"0": inputs} | {name: _tensors(value) for name, value in named.items()}


def _named(node: Any) -> Mapping[str, Any]:
    """The keyword arguments, which Keras 2 writes beside every tensor of a call."""
    if _is_tensor(node):
        return node[3] if len(node) > 3 else {}
    inner = node.values() if isinstance(node, Mapping) else node
    return next((_named(item) for item in inner if isinstance(item, (list, Mapping))), {})


def _tensors(item: Any) -> Any:
    if _is_tensor(item):
        return item[2] if item[0] == "_CONSTANT_VALUE" else Tensor(*item[:3])
    if isinstance(item, list):
        return [_tensors(value) for value in item]
    return {k: _tensors(v) for k, v in item.items()} if isinstance(item, Mapping) else item


def _is_tensor(item: Any) -> bool:
    return (
        isinstance(item, Sequence)
        and len(item) > 2
        and isinstance(item[0], str)
        and isinstance(item[1], int)
        and (isinstance(item[2], int) or item[0] == "_CONSTANT_VALUE")
    )


def _decoded(item: Any) -> Any:
    if isinstance(item, Mapping):
        if item.get("class_name") == "__keras_tensor__":
            return Tensor(*item["config"]["keras_history"])
        if item.get("class_name") == "__tuple__":
            return [_decoded(value) for value in item["items"]]
        if "class_name" in item:
            return item
        return {key: _decoded(value) for key, value in item.items()}
    return [_decoded(value) for value in item] if isinstance(item, (list, tuple)) else item


def _used(layer: Layer) -> Iterator[Tensor]:
    for call in layer.calls:
        yield from (leaf for _, leaf in leaves(call) if isinstance(leaf, Tensor))

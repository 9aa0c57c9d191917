"""What a checkpoint says of its model's layers beside their weights, and whether it is so here.

A layer without weights that was left out, added or changed since the training changes what the
model computes, and every weight fits. Files tell of such layers, each kind in its own way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.keras_archive import KerasArchive
from ckpt_action.checkpoint.records import CheckpointFiles, Kind, ObjectGraph, ObjectNode
from ckpt_action.engine.keras_versions import keras_family
from ckpt_action.engine.layers.architectures import Difference, by_architecture, only_in_each
from ckpt_action.engine.layers.layer_kinds import is_idle, unnumbered
from ckpt_action.engine.restore.match.saved_state import own_state, snake
from ckpt_action.engine.restore.model.live import is_graph_container


def other_layers(model: Any, checkpoint: CheckpointFiles, root: str) -> Difference | None:
    """None where the file does not tell, or what it tells is so of `model`, or of a model in it
    that holds all its weights: the trained one, which it only wraps.

    `root`: see BindingRecord.
    """
    compare = _BY_KIND.get(checkpoint.kind)
    if compare is None or not is_graph_container(model):
        return None
    found = [compare(part, checkpoint.path, root) for part in (model, *_nested(model))]
    return found[0] if all(difference and any(difference) for difference in found) else None


def _nested(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if is_graph_container(layer) and len(layer.weights) == len(model.weights):
            yield layer
            yield from _nested(layer)


def _of_archive(model: Any, path: Path, _: str) -> Difference | None:
    archive = KerasArchive(path)
    return by_architecture(archive.config, archive.keras_version, model)


def _of_legacy_model(model: Any, path: Path, _: str) -> Difference | None:
    file = Hdf5Weights(path)
    return by_architecture(file.config, file.keras_version, model)


def _of_groups(model: Any, path: Path, _: str) -> Difference | None:
    """Groups of a `.weights.h5` bear the class of their layer."""
    groups = Hdf5Weights(path).empty_layers
    if groups is None:
        return None
    stored = Counter(unnumbered(name) for name in groups)
    live = Counter(
        snake(type(layer).__name__)
        for layer in _leaves(model)
        if _weighs_nothing(layer) and not own_state(layer)  # words' weights are no layer's weights
    )
    return only_in_each(_busy(stored), _busy(live))


def _of_names(model: Any, path: Path, _: str) -> Difference | None:
    """The names of all layers of the outermost model, those without weights among them."""
    layers = {layer.name: layer for layer in model.layers}
    bare = [name for name, weights in Hdf5Weights(path).layers.items() if not weights]
    stored = Counter(unnumbered(name) for name in bare if not _is_input(layers.get(name)))
    own = [name for name, layer in layers.items() if _weighs_nothing(layer)]
    live = Counter(unnumbered(name) for name in own if not _is_input(layers[name]))
    only_stored, only_live = only_in_each(_busy(stored), _busy(live))
    if len(only_stored) == len(only_live):  # other names alone
        return None
    return only_stored, only_live


def _of_graph(model: Any, path: Path, root: str) -> Difference | None:
    """How many layers there are: an object graph has no names for those without weights."""
    graph = TensorBundle(path).object_graph()
    node = _node(graph, root) if graph else None
    if graph is None or node is None:
        return None
    family = keras_family(model)
    stored = _count_3(graph, node) if family == "keras-3" else _count_2(node)
    live = sum(1 for _ in _tracked(model, family))
    if not stored or stored == live:
        return None
    return [f"{stored} layers"], [f"{live}"]


def _node(graph: ObjectGraph, root: str) -> ObjectNode | None:
    node = graph.nodes[0]
    for part in filter(None, re.split(r"[./]", root)):
        if part not in node.children:
            return None
        node = graph.nodes[node.children[part]]
    return node


def _count_3(graph: ObjectGraph, node: ObjectNode) -> int:
    if "_functional" in node.children:  # of a Sequential
        node = graph.nodes[node.children["_functional"]]
    place = node.children.get("_operations")
    return 0 if place is None else len(graph.nodes[place].children)


def _count_2(node: ObjectNode) -> int:
    return sum(1 for edge in node.children if re.fullmatch(r"layer-\d+", edge))


def _tracked(model: Any, family: str | None) -> Iterator[Any]:
    if family != "keras-3":
        yield from model.layers
        return
    operations = getattr(getattr(model, "_functional", None) or model, "_operations", ())
    yield from (item for item in operations if hasattr(item, "weights"))


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if is_graph_container(layer):
            yield from _leaves(layer)
        else:
            yield layer


def _weighs_nothing(layer: Any) -> bool:
    return not layer.weights


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"


_IDLE_NAMES = re.compile(r"input|tf\.\S*|tf_op\w*|slicing_op\w*")


def _busy(names: Counter[str]) -> Counter[str]:
    """Without layers that compute nothing, by their names in a file."""
    return Counter(
        {
            name: count
            for name, count in names.items()
            if not _IDLE_NAMES.fullmatch(name)
            and not is_idle("".join(part.capitalize() for part in name.split("_")))
        }
    )


_BY_KIND: Mapping[Kind, Callable[[Any, Path, str], Difference | None]] = {
    Kind.KERAS_ARCHIVE: _of_archive,
    Kind.LEGACY_H5_MODEL: _of_legacy_model,
    Kind.LEGACY_H5_WEIGHTS: _of_names,
    Kind.KERAS_WEIGHTS: _of_groups,
    Kind.OBJECT_GRAPH: _of_graph,
}

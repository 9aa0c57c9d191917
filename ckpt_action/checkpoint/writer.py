"""Which library wrote an object graph, by the edges that only it leaves."""

from __future__ import annotations

import re

from ckpt_action.checkpoint.records import ObjectGraph, ObjectNode, Writer
from ckpt_action.checkpoint.roles import VALUE

_KERAS_2_LAYER = re.compile(r"layer(_with_weights)?-\d+")
_KERAS_2 = {"keras_api", "train_tf_function", "train_function", "_index_dict", "state_spec"}
_KERAS_3 = {
    "_operations", "_functional", "_kernel", "_embeddings", "_trainable_variables_indices",
    "_compiled_trainable_state", "_seed_generators",
}  # fmt: skip
_BATCH_NORM = {"moving_mean", "moving_variance"}


def writer_of(graph: ObjectGraph) -> Writer:
    """Keras 3 and Keras 2 by what their layers track; TensorFlow where there is no layer.

    Subclassed Keras 2 models leave no edge of their own. Their layers do: Dense and Embedding
    keep `kernel` and `embeddings` where Keras 3 keeps `_kernel` and `_embeddings`.
    """
    edges = {edge for node in graph.nodes for edge in node.children}
    attributes = {name for node in graph.nodes for name in node.attributes}
    if "OBJECT_CONFIG_JSON" in attributes or any(_KERAS_2_LAYER.fullmatch(edge) for edge in edges):
        return Writer.KERAS_2
    if edges & _KERAS_3:
        return Writer.KERAS_3
    if edges & _KERAS_2 or {"iter", "decay"} <= edges:
        return Writer.KERAS_2
    norms = [node for node in graph.nodes if set(node.children) >= _BATCH_NORM]
    if norms:
        return Writer.KERAS_2 if any("axis" in node.children for node in norms) else Writer.KERAS_3
    return _by_names(graph)


def _by_names(graph: ObjectGraph) -> Writer:
    """What is left: layers that keep `kernel` in both Kerases (recurrent cells, depthwise, custom).

    Keras 2 puts the layer's name before the weight's (`model/gru_cell/kernel`), Keras 3 only the
    name of the outermost model (`model/kernel`), however deep the layer lies.
    """
    found = Writer.TENSORFLOW
    depths = _depths(graph)
    for number, node in enumerate(graph.nodes):
        for edge in ("kernel", "embeddings"):
            name = _value_name(node, edge, graph)
            if not name.endswith(f"/{edge}"):
                continue
            if name.count("/") > 1 or depths.get(number, 0) < 2:
                return Writer.KERAS_2
            found = Writer.UNKNOWN
    return found


def _value_name(node: ObjectNode, edge: str, graph: ObjectGraph) -> str:
    child = node.children.get(edge)
    if child is None or VALUE not in graph.nodes[child].attributes:
        return ""
    return graph.nodes[child].attributes[VALUE][0]


def _depths(graph: ObjectGraph) -> dict[int, int]:
    """Node to the least number of edges from the saved object."""
    depths, level = {0: 0}, [0]
    while level:
        children = {child for number in level for child in graph.nodes[number].children.values()}
        level = sorted(children - depths.keys())
        depths |= dict.fromkeys(level, 1 + max(depths.values()))
    return depths

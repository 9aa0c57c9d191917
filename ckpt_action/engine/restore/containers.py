"""Layers of Functional and Sequential models, which savers know by their order.

Keras 2 stores `layer_with_weights-N` (before TensorFlow 1.14 only `layer-N`), Keras 3
`_operations/N`, and Sequential models of some versions `_layers/N` or
`_self_tracked_trackables/N`. Layers without weights are left out of the count on both sides: where
a Dropout was added or dropped, nothing else moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ckpt_action.engine.restore.graph import CheckpointGraph
from ckpt_action.engine.restore.live import is_graph_container

_LISTS = ("_operations", "_layers", "_self_tracked_trackables")


def paired_layers(
    item: Any, node: int, graph: CheckpointGraph, has_weights: Callable[[Any], bool]
) -> Iterator[tuple[Any, int]]:
    """(layer or `item` itself, node) pairs that the order of layers gives for a live container."""
    if not is_graph_container(item):
        return
    stored = graph.nodes[node].children
    layers = [layer for layer in item.layers if has_weights(layer)]
    for nodes in _stored_lists(stored, graph):
        weighty = [n for n in nodes if graph.has_weights(n)]
        if len(weighty) == len(layers):
            yield from zip(layers, weighty, strict=True)
        elif len(nodes) == len(item.layers):
            yield from zip(item.layers, nodes, strict=True)
    if "_functional" in stored:
        yield item, stored["_functional"]


def _stored_lists(stored: Mapping[str, int], graph: CheckpointGraph) -> Iterator[list[int]]:
    weights = _numbered(stored, r"layer_with_weights-(\d+)")
    yield weights or _numbered(stored, r"layer-(\d+)")
    for name in _LISTS:
        if name in stored:
            yield _numbered(graph.nodes[stored[name]].children, r"(\d+)")


def _numbered(stored: Mapping[str, int], pattern: str) -> list[int]:
    matches = [(re.fullmatch(pattern, name), node) for name, node in stored.items()]
    return [node for _, node in sorted((int(match[1]), node) for match, node in matches if match)]

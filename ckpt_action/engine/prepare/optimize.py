"""A frozen graph for readers that want it small and plain, still in ops of TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ckpt_action.engine.freeze import FrozenGraph
from ckpt_action.engine.freeze.convert import place_constant
from ckpt_action.engine.prepare import prepare
from ckpt_action.engine.prepare.editor import value_of
from ckpt_action.engine.prepare.plain import PLAIN


def optimized(frozen: FrozenGraph) -> tuple[FrozenGraph, tuple[str, ...]]:
    """The prepared graph, and the paths of the variables that are in it in another form only."""
    prepared = prepare(frozen, PLAIN)
    values: dict[str, Any] = {}
    for node in prepared.graph.node:
        if node.name in prepared.stored:
            values[node.name] = value_of(node)
            shape = type(node.attr["value"].tensor.tensor_shape)()
            shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
            place_constant(node, node.attr["dtype"].type, shape)
    made = replace(frozen, graph=prepared.graph, values=values, weights=prepared.stored)
    return made, prepared.transformed

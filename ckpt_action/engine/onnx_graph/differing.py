"""What tf2onnx has a rule for, and ONNX computes otherwise at some sizes: refused by name.

At other sizes the values agree, and a model may well be proven there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.prepare.editor import value_of
from ckpt_action.engine.some_of import layer_of, some_of
from ckpt_action.errors import CkptActionError, ExitCode, Problem

_FLOATS = (types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE)


def refuse_differing(graph: Any) -> None:
    """Raises CkptActionError (TARGET) with everything that ONNX may compute otherwise."""
    found: dict[str, list[str]] = {}
    for node, what in _differing(graph):
        found.setdefault(what, []).append(repr(layer_of(node)))
    if found:
        raise CkptActionError(*(_problem(what, places) for what, places in found.items()))


def _problem(what: str, places: list[str]) -> Problem:
    return Problem(
        code=ExitCode.TARGET,
        message=f"ONNX cannot hold this model: {what}, in {some_of(places)}.",
        hint="Leave that part out of the exported method, or export the model as `saved-model`.",
    )


@dataclass(frozen=True, kw_only=True)
class _Body:
    nodes: Any
    graph: Any = None
    """Of the main graph, whose shapes can be told."""

    @cached_property
    def constants(self) -> dict[str, Any]:
        return {node.name: node for node in self.nodes if node.op == "Const"}

    def constant(self, node: Any, index: int) -> Array | None:
        found = self.constants.get(producer(node.input[index]))
        return None if found is None else value_of(found)

    def sizes(self, node: Any) -> list[int | None]:
        """Of the first input; none where its rank is not known."""
        return self._shapes.get(node.name, [])

    @cached_property
    def _shapes(self) -> dict[str, list[int | None]]:
        if self.graph is None:
            return {}
        with tf.Graph().as_default() as live:
            tf.graph_util.import_graph_def(self.graph, name="")
        read = {op.name: op.inputs[0].shape for op in live.get_operations() if len(op.inputs)}
        return {name: shape.as_list() for name, shape in read.items() if shape.rank is not None}


def _differing(graph: Any) -> Iterator[tuple[str, str]]:
    """(node, what ONNX does otherwise)."""
    functions = (_Body(nodes=function.node_def) for function in graph.library.function)
    for body in (_Body(nodes=graph.node, graph=graph), *functions):
        for node in body.nodes:
            if node.op == "CropAndResize":
                yield node.name, "it crops other pixels at edges (CropAndResize)"
            elif node.op == "ResizeArea":
                yield node.name, "it takes one pixel for the mean of an area (ResizeArea)"
            elif node.op == "ResizeBicubic" and not node.attr["half_pixel_centers"].b:
                yield node.name, "it weighs pixels otherwise (ResizeBicubic of TensorFlow 1)"
            elif node.op == "ResizeBicubic" and _may_shrink(body, node):
                yield node.name, "ONNX Runtime stops on images to be made smaller (ResizeBicubic)"
            elif node.op == "ScatterNd":
                yield node.name, "it keeps one of several values for a place (ScatterNd)"
            elif node.op == "Range" and not _has_whole_steps(body, node):
                yield node.name, "it counts the steps of a range of floats otherwise (Range)"
            elif node.op == "StridedSlice" and _may_start_before(body, node):
                yield node.name, "it starts backwards on too short an axis (StridedSlice)"


def _may_shrink(body: _Body, node: Any) -> bool:
    """A size that follows from the images' own is left to the proof: it is larger, or never is."""
    wanted = body.constant(node, 1)
    if wanted is None:
        return False
    there = body.sizes(node)[1:3] or [None, None]
    return any(size is None or size > most for size, most in zip(there, wanted, strict=True))


def _has_whole_steps(body: _Body, node: Any) -> bool:
    """Whole numbers for start and step make the count exact."""
    if node.attr["Tidx"].type not in _FLOATS:
        return True
    start, step = body.constant(node, 0), body.constant(node, 2)
    return all(value is not None and value == np.floor(value) for value in (start, step))


def _may_start_before(body: _Body, node: Any) -> bool:
    """Whether a slice runs backwards from a place that a short axis does not have: TensorFlow
    takes nothing there, ONNX the first item."""
    begins, steps = body.constant(node, 1), body.constant(node, 3)
    if begins is None or steps is None:
        return False
    plain = not (node.attr["ellipsis_mask"].i or node.attr["new_axis_mask"].i)
    for axis, (begin, step) in enumerate(zip(begins, steps, strict=True)):
        if step < 0 and begin < -1 and not node.attr["begin_mask"].i >> axis & 1:
            size = body.sizes(node)[axis : axis + 1] if plain else []
            if not size or size[0] is None or size[0] < -begin:
                return True
    return False

"""ResizeNearestNeighbor as the rows and columns that TensorFlow takes.

Which they are hangs on the last bit of a float: `(x + 0.5) * (in / out)` is a whole number at every
x where `in / out` is even. Others round otherwise there: ONNX Runtime divides by `out / in`, and
TensorFlow.js computes in float64 on one backend and in float32 on the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr
from ckpt_action.engine.prepare.nodes import graph_def

_OP = "ResizeNearestNeighbor"
_HEIGHT, _WIDTH = 1, 2
_Sizes = tuple[int | None, int | None]

_INT = {"T": attr(tf.int32)}
_FLOAT = {"T": attr(tf.float32)}
_OF_SIZES = {"Tparams": attr(tf.int32), "Tindices": attr(tf.int32), "Taxis": attr(tf.int32)}


def rewrite_nearest(graph: Any, keep: tuple[str, ...]) -> Any:
    """`fold_constants`, put behind this, computes once what fixed sizes decide."""
    rewrite = partial(_rewrite, sizes=_known_sizes(graph))
    in_main = edited(graph, keep, rewrite, functions=False)
    return edited(in_main, keep, partial(_rewrite, sizes={}))


def _known_sizes(graph: Any) -> dict[str, _Sizes]:
    """Node of the main graph to height and width of its images, as far as these are fixed."""
    if all(node.op != _OP for node in graph.node):
        return {}
    with tf.Graph().as_default() as live:
        tf.graph_util.import_graph_def(graph_def(graph), name="")
    images = {op.name: op.inputs[0].shape for op in live.get_operations() if op.type == _OP}
    return {
        name: (shape[_HEIGHT], shape[_WIDTH])
        for name, shape in images.items()
        if shape.rank is not None
    }


def _rewrite(body: Editor, sizes: Mapping[str, _Sizes]) -> None:
    for node in [n for n in body.nodes.values() if n.op == _OP]:
        height, width = sizes.get(node.name, (None, None))
        rows = _places(body, node, "rows", _HEIGHT, height)
        columns = _places(body, node, "columns", _WIDTH, width)
        kinds = {**_OF_SIZES, "Tparams": attr(tf.as_dtype(node.attr["T"].type))}
        across = body.add_constant(node, "across", np.array(_WIDTH, np.int32))
        down = body.add_constant(node, "down", np.array(_HEIGHT, np.int32))
        narrowed = body.add(node, "narrowed", "GatherV2", [node.input[0], columns, across], **kinds)
        body.become(node, "GatherV2", [narrowed, rows, down], **kinds)


def _places(body: Editor, node: Any, name: str, axis: int, known: int | None) -> str:
    """Which index of `axis` of the images each index of the result takes: the kernel, op by op."""

    def add(suffix: str, op: str, *inputs: str, **attrs: Attr) -> str:
        return body.add(node, f"{name}/{suffix}", op, inputs, **attrs)

    def number(suffix: str, value: float, dtype: type[np.generic]) -> str:
        return body.add_constant(node, f"{name}/{suffix}", np.array(value, dtype))

    def size(suffix: str, sizes: str, at: int) -> str:
        where = (number(f"{suffix}_at", at, np.int32), number(f"{suffix}_axis", 0, np.int32))
        return add(suffix, "GatherV2", sizes, *where, **_OF_SIZES)

    def as_float(suffix: str, what: str) -> str:
        return add(suffix, "Cast", what, SrcT=attr(tf.int32), DstT=attr(tf.float32))

    def as_int(suffix: str, what: str, source: tf.DType) -> str:
        return add(suffix, "Cast", what, SrcT=attr(source), DstT=attr(tf.int32))

    zero, one = (number(suffix, value, np.int32) for suffix, value in (("zero", 0), ("one", 1)))
    half = number("half", 0.5, np.float32)
    images, wanted = node.input[:2]
    if known is None:
        shape = add("shape", "Shape", images, T=node.attr["T"], out_type=attr(tf.int32))
        there = size("there", shape, axis)
    else:
        there = number("there", known, np.int32)
    made = size("made", wanted, axis - _HEIGHT)
    last = add("last", "Sub", there, one, **_INT)

    between, steps = there, made
    if node.attr["align_corners"].b:
        several = as_int("several", add("many", "Greater", made, one, **_INT), tf.bool)
        between = add("between", "Sub", there, several, **_INT)
        steps = add("steps", "Sub", made, several, **_INT)
    # `steps`, but no constant where the other is none: Grappler, which tf2onnx runs, would multiply
    # by the reciprocal of a constant instead.
    steps = add("veiled", "Minimum", steps, add("more", "Maximum", steps, between, **_INT), **_INT)
    floats = (as_float("between_float", between), as_float("steps_float", steps))
    scale = add("scale", "RealDiv", *floats, **_FLOAT)

    x = as_float("x", add("each", "Range", zero, made, one, Tidx=attr(tf.int32)))
    if node.attr["half_pixel_centers"].b:
        x = add("centre", "AddV2", x, half, **_FLOAT)
    exact = add("exact", "Mul", x, scale, **_FLOAT)
    floor = add("floor", "Floor", exact, **_FLOAT)
    place = as_int("place", floor, tf.float32)
    if node.attr["align_corners"].b:
        rest = add("rest", "Sub", exact, floor, **_FLOAT)
        up = as_int("up", add("over", "GreaterEqual", rest, half, **_FLOAT), tf.bool)
        place = add("rounded", "AddV2", place, up, **_INT)
    return add("places", "Minimum", place, last, **_INT)

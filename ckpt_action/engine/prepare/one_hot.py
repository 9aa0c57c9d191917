"""OneHot as a comparison with every class.

ONNX takes a class of -1 for the last one, where TensorFlow has none; TensorFlow.js puts the classes
on the last axis, whichever was asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr

_INT = attr(tf.int32)


def rewrite_one_hot(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "OneHot"]:
        _spell_out(body, node)


def _spell_out(body: Editor, node: Any) -> None:
    indices, depth, on, off = node.input[:4]
    axis = node.attr["axis"].i if "axis" in node.attr else -1
    dtype = tf.as_dtype(node.attr["TI"].type) if "TI" in node.attr else tf.int64
    kind = attr(dtype)
    if dtype not in (tf.int32, tf.int64):
        indices = body.add(node, "indices", "Cast", [indices], SrcT=kind, DstT=_INT)
        kind = _INT

    def add(suffix: str, op: str, *inputs: str, **attrs: Attr) -> str:
        return body.add(node, suffix, op, inputs, **attrs)

    def number(suffix: str, value: object) -> str:
        return body.add_constant(node, suffix, np.array(value, np.int32))

    zero, one = number("zero", 0), number("one", 1)
    classes = add("classes", "Range", zero, depth, one, Tidx=_INT)
    if kind != _INT:
        classes = add("wide", "Cast", classes, SrcT=_INT, DstT=kind)
    if axis >= 0:  # as many axes behind the classes as the indices have there
        sizes = add("sizes", "Shape", indices, T=kind, out_type=_INT)
        ends = (number("from", [axis]), number("to", [0]), number("step", [1]))
        behind = add(
            "behind", "StridedSlice", sizes, *ends, T=_INT, Index=_INT, begin_mask=attr(0),
            end_mask=attr(1), ellipsis_mask=attr(0), new_axis_mask=attr(0),
            shrink_axis_mask=attr(0),
        )  # fmt: skip
        ones = add("ones", "OnesLike", behind, T=_INT)
        count = add("count", "Reshape", depth, number("single", [1]), T=_INT, Tshape=_INT)
        shape = add("shape", "ConcatV2", count, ones, zero, T=_INT, Tidx=_INT, N=attr(2))
        classes = add("placed", "Reshape", classes, shape, T=kind, Tshape=_INT)
    each = add("each", "ExpandDims", indices, number("axis", axis), T=kind, Tdim=_INT)
    equal = add("equal", "Equal", each, classes, T=kind, incompatible_shape_error=attr(True))
    body.become(node, "SelectV2", [equal, on, off], T=attr(tf.as_dtype(node.attr["T"].type)))

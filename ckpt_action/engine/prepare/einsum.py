"""Einsum of two operands as Transpose, Reshape and a matrix product.

The axes of each operand fall into batch axes (in both and in the result), free axes (in one and in
the result) and summed axes (in both, not in the result). Anything else stays an Einsum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr

_PLAIN = re.compile(r"([A-Za-z]+),([A-Za-z]+)->([A-Za-z]*)")


def lower_einsum(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _lower_all)


@dataclass(frozen=True, kw_only=True)
class _Axes:
    left: str
    right: str
    result: str
    batch: str
    left_free: str
    right_free: str
    summed: str


def _axes(equation: str) -> _Axes | None:
    match = _PLAIN.fullmatch(equation.replace(" ", ""))
    if match is None:
        return None
    left, right, result = match.groups()
    shared = set(left) & set(right)
    axes = _Axes(
        left=left,
        right=right,
        result=result,
        batch="".join(a for a in result if a in shared),
        left_free="".join(a for a in result if a not in right),
        right_free="".join(a for a in result if a not in left),
        summed="".join(a for a in left if a in shared and a not in result),
    )
    each_once = all(len(set(word)) == len(word) for word in (left, right, result))
    all_used = set(left) | set(right) == {*axes.batch, *axes.left_free, *axes.right_free,
                                          *axes.summed}  # fmt: skip
    return axes if each_once and all_used and axes.summed else None


def _lower_all(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "Einsum" and len(n.input) == 2]:
        axes = _axes(node.attr["equation"].s.decode())
        if axes is not None:
            _Lowering(body, node).lower(axes)


class _Lowering:
    """One Einsum on its way; new nodes are named after it."""

    def __init__(self, body: Editor, node: Any) -> None:
        self._body, self._node = body, node
        kind = node.attr["T"]
        self._kind: Attr = type(kind).FromString(kind.SerializeToString())

    def lower(self, axes: _Axes) -> None:
        left = self._turned("left", self._node.input[0], axes.left,
                            axes.batch + axes.left_free + axes.summed)  # fmt: skip
        right = self._turned("right", self._node.input[1], axes.right,
                             axes.batch + axes.summed + axes.right_free)  # fmt: skip
        batch, summed = len(axes.batch), len(axes.summed)
        left_free, right_free = len(axes.left_free), len(axes.right_free)
        left_shape, right_shape = self._shape("left", left), self._shape("right", right)
        # Of a kernel, which is a constant, the size is known before the model runs.
        size = self._size("summed", right_shape, batch, summed)
        left_flat, right_flat = left, right
        if (left_free, summed) != (1, 1):
            rest = self._rest("left", left_shape, batch, batch, left_free)
            left_flat = self._flat("left", left, left_shape, batch, [rest, size])
        if (summed, right_free) != (1, 1):
            rest = self._rest("right", right_shape, batch, batch + summed, right_free)
            right_flat = self._flat("right", right, right_shape, batch, [size, rest])
        product = self._product(left_flat, right_flat, batched=batch > 0)
        if (left_free, right_free) != (1, 1):
            sizes = [
                self._part("kept_left", left_shape, 0, batch + left_free),
                self._part("kept_right", right_shape, batch + summed, right_free),
            ]
            product = self._reshaped("split", product, self._joined("split", sizes))
        found = axes.batch + axes.left_free + axes.right_free
        self._finish(product, [found.index(axis) for axis in axes.result])

    def _turned(self, side: str, reference: str, have: str, want: str) -> str:
        if have == want:
            return reference
        order = self._ints(f"{side}/order", [have.index(axis) for axis in want])
        return self._add(f"{side}/turned", "Transpose", [reference, order], Tperm=attr(tf.int32))

    def _flat(self, side: str, reference: str, shape: str, batch: int, sizes: list[str]) -> str:
        """`reference` with what follows its batch axes as two axes of `sizes`."""
        parts = [self._part(f"{side}/batch", shape, 0, batch)] if batch else []
        return self._reshaped(f"{side}/flat", reference, self._joined(side, [*parts, *sizes]))

    def _rest(self, side: str, shape: str, batch: int, start: int, length: int) -> str:
        """The size of free axes as one; without batch axes there is nothing else that it can be."""
        if not batch:
            return self._ints(f"{side}/rest", [-1])
        return self._size(f"{side}/rest", shape, start, length)

    def _size(self, suffix: str, shape: str, start: int, length: int) -> str:
        """The product of the sizes of `length` axes."""
        part = self._part(f"{suffix}/part", shape, start, length)
        kinds = {"T": attr(tf.int32), "Tidx": attr(tf.int32), "keep_dims": attr(True)}
        zero = self._ints(f"{suffix}/axis", [0])
        return self._body.add(self._node, suffix, "Prod", [part, zero], **kinds)

    def _product(self, left: str, right: str, *, batched: bool) -> str:
        if batched:
            flags = {"adj_x": attr(False), "adj_y": attr(False)}
            return self._add("product", "BatchMatMulV2", [left, right], **flags)
        flags = {"transpose_a": attr(False), "transpose_b": attr(False)}
        return self._add("product", "MatMul", [left, right], **flags)

    def _finish(self, reference: str, order: list[int]) -> None:
        """The Einsum itself becomes the last step, for its readers know its name."""
        if order == sorted(order):
            self._body.become(self._node, "Identity", [reference], T=self._kind)
            return
        turned = [reference, self._ints("order", order)]
        self._body.become(self._node, "Transpose", turned, T=self._kind, Tperm=attr(tf.int32))

    def _shape(self, side: str, reference: str) -> str:
        return self._add(f"{side}/shape", "Shape", [reference], out_type=attr(tf.int32))

    def _part(self, suffix: str, shape: str, start: int, length: int) -> str:
        begin, size = self._ints(f"{suffix}_begin", [start]), self._ints(f"{suffix}_size", [length])
        return self._body.add(
            self._node, suffix, "Slice", [shape, begin, size],
            T=attr(tf.int32), Index=attr(tf.int32),
        )  # fmt: skip

    def _joined(self, suffix: str, parts: list[str]) -> str:
        axis = self._body.add_constant(self._node, f"{suffix}/axis", np.asarray(0, np.int32))
        return self._body.add(
            self._node, f"{suffix}/sizes", "ConcatV2", [*parts, axis],
            N=attr(len(parts)), T=attr(tf.int32), Tidx=attr(tf.int32),
        )  # fmt: skip

    def _reshaped(self, suffix: str, reference: str, shape: str) -> str:
        return self._add(suffix, "Reshape", [reference, shape], Tshape=attr(tf.int32))

    def _ints(self, suffix: str, values: list[int]) -> str:
        return self._body.add_constant(self._node, suffix, np.array(values, np.int32))

    def _add(self, suffix: str, op: str, inputs: list[str], **attrs: Attr) -> str:
        return self._body.add(self._node, suffix, op, inputs, T=self._kind, **attrs)

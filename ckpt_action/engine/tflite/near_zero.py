"""Log1p and Expm1, which the converter writes as log(1 + x) and exp(x) - 1: no digit is right near
zero. There they become polynomials, for LiteRT's own Log is not exact beside 1 either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr

NEAR_ZERO = ("Log1p", "Expm1")
_NEAR = {"Log1p": 0.25, "Expm1": 0.5}
"""Up to where the polynomial is taken. Beyond, the plain form has its digits."""
_KINDS: dict[str, Attr] = {"T": attr(tf.float32)}

_ATANH = [1 / (2 * k + 1) for k in range(6)]
"""Of s ** 2 up to 1 / 49: the next is 2e-11 of the first."""
_EXP = [1 / math.factorial(k + 1) for k in range(10)]
"""Of x up to 1 / 2: the next is 2e-11 of the first."""


def rewrite_near_zero(graph: Any) -> Any:
    """In every body of the graph of a SavedModel."""
    return edited(graph, [node.name for node in graph.node], _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op in NEAR_ZERO]:
        if node.attr["T"].type != tf.float32:
            continue
        x, ops = node.input[0], _Ops(body, node)
        near, far = (_log1p if node.op == "Log1p" else _expm1)(ops, x)
        limit = ops.number("limit", _NEAR[node.op])
        is_near = ops.add("is_near", "Less", ops.add("size", "Abs", x), limit)
        body.become(node, "SelectV2", [is_near, near, far], **_KINDS)


class _Ops:
    """New nodes named after the one that they spell out."""

    def __init__(self, body: Editor, node: Any) -> None:
        self._body = body
        self._node = node

    def add(self, suffix: str, op: str, *inputs: str) -> str:
        return self._body.add(self._node, suffix, op, inputs, **_KINDS)

    def number(self, suffix: str, value: float) -> str:
        return self._body.add_constant(self._node, suffix, np.array(value, np.float32))

    def polynomial(self, x: str, factors: Sequence[float]) -> str:
        """`factors` of the powers of x, from that of 1 on."""
        total = self.number("highest", factors[-1])
        for power, factor in reversed(list(enumerate(factors[:-1]))):
            product = self.add(f"times_{power}", "Mul", total, x)
            total = self.add(f"sum_{power}", "AddV2", product, self.number(f"of_{power}", factor))
        return total


def _log1p(ops: _Ops, x: str) -> tuple[str, str]:
    """Near zero 2 atanh(s), where s is x / (x + 2)."""
    s = ops.add("s", "RealDiv", x, ops.add("more", "AddV2", x, ops.number("two", 2)))
    sum_ = ops.polynomial(ops.add("square", "Mul", s, s), _ATANH)
    near = ops.add("near", "Mul", ops.add("twice", "AddV2", s, s), sum_)
    return near, ops.add("far", "Log", ops.add("above", "AddV2", x, ops.number("one", 1)))


def _expm1(ops: _Ops, x: str) -> tuple[str, str]:
    near = ops.add("near", "Mul", x, ops.polynomial(x, _EXP))
    return near, ops.add("far", "Sub", ops.add("exp", "Exp", x), ops.number("one", 1))

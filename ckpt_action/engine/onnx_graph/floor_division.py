"""FloorDiv and FloorMod of signed integers, for which tf2onnx divides towards zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr

_OPS = ("FloorDiv", "FloorMod")


def rewrite_floor_division(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op in _OPS]:
        if np.issubdtype(tf.as_dtype(node.attr["T"].type).as_numpy_dtype, np.signedinteger):
            _spell_out(body, node)


def _spell_out(body: Editor, node: Any) -> None:
    """A remainder of the other sign than the divisor's is one divisor too far."""
    divided, divisor = node.input[:2]
    kind = attr(tf.as_dtype(node.attr["T"].type))

    def add(suffix: str, op: str, *inputs: str, **attrs: Attr) -> str:
        return body.add(node, suffix, op, inputs, **(attrs or {"T": kind}))

    quotient = add("quotient", "TruncateDiv", divided, divisor)
    remainder = add("remainder", "Sub", divided, add("whole", "Mul", quotient, divisor))
    against = add("against", "Neg", add("divisor_sign", "Sign", divisor))
    far = add("far", "Equal", add("sign", "Sign", remainder), against)
    one = add("one", "Cast", far, SrcT=attr(tf.bool), DstT=kind)
    if node.op == "FloorDiv":
        body.become(node, "Sub", [quotient, one], T=kind)
    else:
        body.become(node, "AddV2", [remainder, add("back", "Mul", one, divisor)], T=kind)

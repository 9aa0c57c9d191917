"""FloorDiv of floats, whose result TensorFlow.js stores in 32-bit integers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr


def rewrite_floor_division(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "FloorDiv"]:
        dtype = tf.as_dtype(node.attr["T"].type)
        if dtype.is_floating:
            divided = body.add(node, "divided", "RealDiv", node.input[:2], T=attr(dtype))
            body.become(node, "Floor", [divided], T=attr(dtype))

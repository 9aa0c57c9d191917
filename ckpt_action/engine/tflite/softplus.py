"""Softplus, which the converter writes as log(1 + exp(x)): infinite from x = 89 on."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Attr, Editor, attr


def rewrite_softplus(graph: Any) -> Any:
    """In every body of the graph of a SavedModel: relu(x) + log(1 + exp(-|x|))."""
    return edited(graph, [node.name for node in graph.node], _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "Softplus"]:
        dtype = tf.as_dtype(node.attr["T"].type)
        kinds: dict[str, Attr] = {"T": attr(dtype)}
        x = node.input[0]
        away = body.add(node, "away", "Neg", [body.add(node, "abs", "Abs", [x], **kinds)], **kinds)
        small = body.add(node, "exp", "Exp", [away], **kinds)
        one = body.add_constant(node, "one", np.ones((), dtype.as_numpy_dtype))
        more = body.add(node, "more", "AddV2", [small, one], **kinds)
        rest = body.add(node, "log", "Log", [more], **kinds)
        body.become(node, "AddV2", [body.add(node, "relu", "Relu", [x], **kinds), rest], **kinds)

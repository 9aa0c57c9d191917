"""ScatterNd as an addition to zeros: tf2onnx lets the last of several values for one place win."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr


def rewrite_scatter(graph: Any, keep: tuple[str, ...]) -> Any:
    """Of numbers; what is left is refused (see `differing`)."""
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "ScatterNd"]:
        dtype = tf.as_dtype(node.attr["T"].type)
        if not (dtype.is_floating or dtype.is_integer):
            continue
        indices, updates, shape = node.input[:3]
        kind, index = attr(dtype), attr(tf.as_dtype(node.attr["Tindices"].type))
        zero = body.add_constant(node, "zero", np.zeros((), dtype.as_numpy_dtype))
        zeros = body.add(node, "zeros", "Fill", [shape, zero], T=kind, index_type=index)
        body.become(node, "TensorScatterAdd", [zeros, indices, updates], T=kind, Tindices=index)

"""FusedBatchNorm that takes its statistics from its input, in plain ops.

The LayerNormalization of Keras 2 is made of it. Readers that only know inference take the empty
statistics that come with it, and compute NaN or crash.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr

BATCH_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


def is_training(node: Any) -> bool:
    """True, too, where the attribute is not written."""
    return "is_training" not in node.attr or bool(node.attr["is_training"].b)


def rewrite_training_norm(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in list(body.nodes.values()):
        if node.op in BATCH_NORMS and is_training(node) and body.reads_first_outputs(node):
            _spell_out(body, node)


def _spell_out(body: Editor, node: Any) -> None:
    x, scale, offset = node.input[:3]
    kind, epsilon = node.attr["T"], node.attr["epsilon"].f
    first = node.attr["data_format"].s == b"NCHW"
    axes = np.array([0, 2, 3] if first else [0, 1, 2], np.int32)
    column = np.array([1, -1, 1, 1] if first else [1, 1, 1, -1], np.int32)
    kinds = {"T": type(kind).FromString(kind.SerializeToString())}
    axes_at = body.add_constant(node, "axes", axes)
    shape = body.add_constant(node, "shape", column)

    def mean(suffix: str, of: str) -> str:
        return body.add(
            node, suffix, "Mean", [of, axes_at], keep_dims=attr(True), Tidx=attr(tf.int32), **kinds
        )

    def column_of(suffix: str, of: str) -> str:
        return body.add(node, suffix, "Reshape", [of, shape], Tshape=attr(tf.int32), **kinds)

    centred = body.add(node, "centred", "Sub", [x, mean("mean", x)], **kinds)
    variance = mean("variance", body.add(node, "square", "Mul", [centred, centred], **kinds))
    least = body.add_constant(node, "epsilon", np.asarray(epsilon, np.float32))
    spread = body.add(node, "spread", "AddV2", [variance, least], **kinds)
    inverse = body.add(node, "inverse", "Rsqrt", [spread], **kinds)
    slope = body.add(node, "slope", "Mul", [inverse, column_of("scale", scale)], **kinds)
    scaled = body.add(node, "scaled", "Mul", [centred, slope], **kinds)
    body.become(node, "AddV2", [scaled, column_of("offset", offset)], **kinds)

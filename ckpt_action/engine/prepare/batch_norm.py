"""What is added to and multiplied with the channels of a convolution, folded into its kernel.

Keras 3 writes BatchNormalization as Mul and AddV2 with constants, Keras 2 as FusedBatchNormV3, and
a bias of Keras 3 is an AddV2. One BiasAdd is left of all that follows a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr
from ckpt_action.engine.prepare.training_norm import BATCH_NORMS, is_training

_RANKS = {"Conv2D": 4, "DepthwiseConv2dNative": 4, "MatMul": 2}


def fold_batch_norm(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _fold)


@dataclass(frozen=True)
class _Affine:
    """`scale * kernel(x) + offset`, by channel; computed in double precision."""

    scale: Array
    offset: Array

    def plus(self, value: Array) -> _Affine:
        return _Affine(self.scale, self.offset + value)

    def times(self, value: Array) -> _Affine:
        return _Affine(self.scale * value, self.offset * value)


def _fold(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op in _RANKS]:
        kernel = body.constant(node.input[1])
        if kernel is not None and kernel.dtype == np.float32 and _by_last_axis(node):
            _fold_into(body, node, kernel)


def _fold_into(body: Editor, node: Any, kernel: Array) -> None:
    depthwise = node.op == "DepthwiseConv2dNative"
    channels = kernel.shape[-1] * (kernel.shape[-2] if depthwise else 1)
    total = _Affine(np.ones(channels), np.zeros(channels))
    last, rank = node, _RANKS[node.op]
    while (reader := body.sole_reader(last)) is not None:
        absorbed = _absorb(body, reader, last, total, rank)
        if absorbed is None:
            break
        total, last = absorbed, reader
    if last is node:
        return
    scaled = kernel * total.scale.reshape(kernel.shape[-2:] if depthwise else channels)
    with np.errstate(over="ignore"):  # looked for below
        scaled, offset = scaled.astype(kernel.dtype), total.offset.astype(kernel.dtype)
    if not (np.isfinite(scaled).all() and np.isfinite(offset).all()):
        return
    if (total.scale != 1).any():
        body.rewire(node, 1, body.add_constant(node, "kernel", scaled))
    elif last.op == "BiasAdd" and body.producer(last.input[0]) is node:
        return
    bias = body.add_constant(last, "bias", offset)
    body.become(
        last, "BiasAdd", [body.output(node), bias], T=node.attr["T"], data_format=attr(b"NHWC")
    )


def _absorb(body: Editor, reader: Any, last: Any, total: _Affine, rank: int) -> _Affine | None:
    """`total` after `reader`, or None where that is no affine function of the channels."""
    if any(reference.startswith("^") for reference in reader.input):
        return None
    if reader.op in BATCH_NORMS:
        return _absorb_norm(body, reader, last, total)
    if reader.op not in ("Add", "AddV2", "BiasAdd", "Sub", "Mul") or not _by_last_axis(reader):
        return None
    index = next(i for i, r in enumerate(reader.input) if body.producer(r) is last)
    value = _by_channel(body.constant(reader.input[1 - index]), len(total.scale), rank)
    if value is None or (reader.op == "Sub" and index == 1):
        return None
    if reader.op == "Mul":
        return total.times(value)
    return total.plus(-value if reader.op == "Sub" else value)


def _absorb_norm(body: Editor, norm: Any, last: Any, total: _Affine) -> _Affine | None:
    values = [body.constant(reference) for reference in norm.input[1:5]]
    if (
        is_training(norm)
        or not _by_last_axis(norm)
        or body.producer(norm.input[0]) is not last
        or not body.reads_first_outputs(norm)
        or any(_by_channel(value, len(total.scale), 1) is None for value in values)
    ):
        return None
    gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in values)
    slope = gamma / np.sqrt(variance + norm.attr["epsilon"].f)
    return total.plus(-mean).times(slope).plus(beta)


def _by_channel(value: Array | None, channels: int, rank: int) -> Array | None:
    """`value` as one number per channel, where it does not change the shape that it meets."""
    if value is None or value.dtype != np.float32 or value.ndim > rank:
        return None
    if not np.isfinite(value).all():
        return None
    if value.size != 1 and value.shape[-1:] != (value.size,):
        return None
    return (
        np.broadcast_to(value.reshape(-1).astype(np.float64), (channels,))
        if value.size in (1, channels)
        else None
    )


def _by_last_axis(node: Any) -> bool:
    """Whether channels are the last axis of what `node` computes."""
    attrs = node.attr
    if "transpose_b" in attrs and attrs["transpose_b"].b:
        return False
    return "data_format" not in attrs or attrs["data_format"].s in (b"", b"NHWC")

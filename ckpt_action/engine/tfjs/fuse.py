"""A kernel, its bias and its activation as one op, which the backends of TensorFlow.js run faster.

`_FusedConv2D` and `_FusedMatMul` are TensorFlow's own; `FusedDepthwiseConv2dNative` only
TensorFlow.js knows.
"""

from __future__ import annotations

from typing import Any

from tensorflow.core.framework import attr_value_pb2

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr

FUSED = {
    "Conv2D": "_FusedConv2D",
    "MatMul": "_FusedMatMul",
    "DepthwiseConv2dNative": "FusedDepthwiseConv2dNative",
}
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "Prelu")


def fuse(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _fuse, functions=False)


def _fuse(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op in FUSED and not _is_nchw(n)]:
        bias = body.sole_reader(node)
        if bias is not None and _adds_constant(body, bias, node):
            _fuse_with(body, node, bias)


def _adds_constant(body: Editor, bias: Any, node: Any) -> bool:
    return (
        bias.op == "BiasAdd"
        and not _is_nchw(bias)
        and body.producer(bias.input[0]) is node
        and body.constant(bias.input[1]) is not None
    )


def _fuse_with(body: Editor, node: Any, bias: Any) -> None:
    """The last node of the chain becomes all of it, for its name is what others read."""
    last, ops, arguments = bias, [b"BiasAdd"], [bias.input[1]]
    activation = body.sole_reader(bias)
    if activation is not None and activation.op in _ACTIVATIONS:
        last, ops = activation, [b"BiasAdd", activation.op.encode()]
        arguments += activation.input[1:]
    attrs = {key: _copy(value) for key, value in node.attr.items()}
    attrs["fused_ops"] = attr_value_pb2.AttrValue(list=attr_value_pb2.AttrValue.ListValue(s=ops))
    attrs["num_args"] = attr(len(arguments))
    body.become(last, FUSED[node.op], [*node.input, *arguments], **attrs)


def _is_nchw(node: Any) -> bool:
    return "data_format" in node.attr and node.attr["data_format"].s == b"NCHW"


def _copy(value: Any) -> Any:
    return type(value).FromString(value.SerializeToString())

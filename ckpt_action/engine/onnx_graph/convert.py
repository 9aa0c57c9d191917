"""One signature of a prepared graph to an ONNX model, through tf2onnx."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

import onnx
import tensorflow as tf
from tf2onnx.handler import tf_op
from tf2onnx.optimizer import optimize_graph
from tf2onnx.tf_loader import tf_optimize
from tf2onnx.tfonnx import process_tf_graph

from ckpt_action.engine.freeze.graph import reached_nodes
from ckpt_action.engine.onnx_graph.copies import bodies
from ckpt_action.engine.onnx_graph.shared import LARGE, shared_constants
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.some_of import some_ops
from ckpt_action.errors import CkptActionError, ExitCode, fail, first_line
from ckpt_action.outcome import SignatureRecord

OPSET = 17
"""The newest that tf2onnx writes; every runtime of the last years reads it."""


def convert(graph: Any, signature: SignatureRecord) -> Any:
    """The ModelProto of `signature`, with tf2onnx's own names; CkptActionError (TARGET) where ONNX,
    or tf2onnx, has no form for what it computes."""
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    try:
        model = _converted(
            graph,
            [str(tensor.tensor) for tensor in signature.inputs],
            [str(tensor.tensor) for tensor in signature.outputs],
        )
    except Exception as error:  # tf2onnx raises whatever its parts do
        if out_of_memory(error):
            raise
        raise _refused(graph, signature, error) from error
    # What tf2onnx has no rule for it hands through under TensorFlow's name.
    unknown = dict(_unknown_nodes(model.graph))
    if unknown:
        raise _unsupported(signature, unknown, details=())
    return model


def _converted(graph: Any, inputs: list[str], outputs: list[str]) -> Any:
    """The steps of `tf2onnx.convert.from_graph_def`, with each weight in memory a few times less:
    TensorFlow, which tells the shapes, gets a graph without them."""
    with tf.Graph().as_default():
        optimized = tf_optimize(inputs, outputs, graph)
    values = _taken_out(optimized)
    with tf.Graph().as_default() as live, shared_constants():
        tf.graph_util.import_graph_def(optimized, name="")
        del optimized
        made = process_tf_graph(
            live,
            continue_on_error=True,
            opset=OPSET,
            input_names=inputs,
            output_names=outputs,
            const_node_values=values,
        )
        values.clear()
        return optimize_graph(made).make_model("")


def _taken_out(graph: Any) -> dict[str, bytes]:
    """The content of large constants, no longer in `graph`, by the names of their nodes.

    tf2onnx looks for these names in functions too.
    """
    inner = {node.name for function in graph.library.function for node in function.node_def}
    taken: dict[str, bytes] = {}
    for node in graph.node:
        if node.op == "Const" and node.name not in inner:
            tensor = node.attr["value"].tensor
            size = math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
            if size >= LARGE and tf.as_dtype(tensor.dtype).is_floating and tensor.tensor_content:
                taken[node.name] = tensor.tensor_content
                tensor.ClearField("tensor_content")
    return taken


def _refused(graph: Any, signature: SignatureRecord, error: Exception) -> CkptActionError:
    lines = str(error).splitlines()
    if without_rule := dict(_without_rule(graph)):
        return _unsupported(signature, without_rule, details=tuple(lines))
    return fail(
        ExitCode.TARGET,
        f"tf2onnx cannot convert signature {signature.name!r}: {first_line(error)}",
        hint="Export the model as `saved-model`, `frozen-graph` or `tflite`.",
        details=lines,
    )


def _unsupported(
    signature: SignatureRecord, ops: dict[str, str], details: tuple[str, ...]
) -> CkptActionError:
    return fail(
        ExitCode.TARGET,
        f"Signature {signature.name!r} cannot be written as ONNX, which has no form for "
        f"{some_ops(ops)}.",
        hint="Leave that part out of the exported method, or export the model as `saved-model`.",
        details=details,
    )


def rules() -> dict[str, Any]:
    """By the ops of TensorFlow that tf2onnx has one for."""
    return dict(tf_op.create_mapping(OPSET, None))


def _without_rule(graph: Any) -> Iterator[tuple[str, str]]:
    """(op, node) that tf2onnx has no rule for. Lists of tensors it takes apart with their loops."""
    known = rules()
    for node in reached_nodes(graph):
        if node.op not in known and not node.op.startswith("TensorList"):
            yield node.op, node.name


def _unknown_nodes(graph: Any) -> Iterator[tuple[str, str]]:
    """(op, node) of whatever the ONNX specification does not have at this version."""
    for node in graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if domain or not onnx.defs.has(node.op_type, OPSET, domain):
            yield node.op_type, node.name
        for attribute in node.attribute:
            for body in bodies(attribute):
                yield from _unknown_nodes(body)

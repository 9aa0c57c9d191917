"""One signature of a prepared graph to an ONNX model, through tf2onnx."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import onnx
import tf2onnx.tfonnx  # which registers the rules
from tf2onnx.handler import tf_op

from ckpt_action.engine.freeze.graph import reachable_functions
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
        model, _ = tf2onnx.convert.from_graph_def(
            graph,
            input_names=[str(tensor.tensor) for tensor in signature.inputs],
            output_names=[str(tensor.tensor) for tensor in signature.outputs],
            opset=OPSET,
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
    functions = {f.signature.name: f for f in graph.library.function}
    called = reachable_functions(graph.node, functions)
    for nodes in (graph.node, *(functions[name].node_def for name in called)):
        for node in nodes:
            if node.op not in known and not node.op.startswith("TensorList"):
                yield node.op, node.name


def _unknown_nodes(graph: Any) -> Iterator[tuple[str, str]]:
    """(op, node) of whatever the ONNX specification does not have at this version."""
    for node in graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if domain or not onnx.defs.has(node.op_type, OPSET, domain):
            yield node.op_type, node.name
        for attribute in node.attribute:
            for body in (attribute.g, *attribute.graphs):
                yield from _unknown_nodes(body)

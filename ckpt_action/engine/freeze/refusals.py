"""What a GraphDef cannot hold, found before a byte is written and named for a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2, types_pb2

from ckpt_action.engine.freeze.convert import unconvertible
from ckpt_action.engine.freeze.graph import MAIN
from ckpt_action.engine.freeze.handles import HandleFlow, Held, Use
from ckpt_action.engine.freeze.interface import Interface, Known
from ckpt_action.engine.freeze.tables import TABLE_READS
from ckpt_action.engine.internals import op_definition
from ckpt_action.engine.some_of import some_of
from ckpt_action.engine.trace.op_kinds import writes_state
from ckpt_action.errors import ExitCode, Problem

_STEP_LOCAL = {"TensorArrayV3", "TensorArrayGradV3", "TensorArrayGradWithShape", "StackV2"}
"""Resources that live within one call: a graph makes them itself."""
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}

_OF_VARIABLES = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"}
_SAVED_MODEL = "Export this model as `saved-model`"
_MOVE_OUT = f"{_SAVED_MODEL}, or move the preprocessing out of the exported method."


def refuse_writes(flow: HandleFlow) -> Iterable[Problem]:
    """Variables that a call changes: a constant would lose the change without a word."""
    writes: dict[str, list[str]] = {}
    for use in flow.uses():
        if writes_state(use.node.op):
            for variable in use.held.variables:
                writes.setdefault(variable, []).append(_node(use.body, use.node))
    for variable, nodes in sorted(writes.items()):
        yield _refusal(
            f"variable {variable!r} is written at every call, by {some_of(nodes)}; "
            "a frozen graph holds constants only.",
            f"{_SAVED_MODEL}, which keeps state. For a recurrent layer, build it with "
            "`stateful=False` or take its state as an input and return it as an output; "
            "a counter or metric can be left out of the exported method.",
        )


def refuse_handle_uses(flow: HandleFlow) -> Iterable[Problem]:
    for clash in flow.clashes:
        yield _refusal(f"{clash}.", f"{_SAVED_MODEL}.")
    by_op: dict[str, list[Use]] = {}
    for use in unconvertible(flow):
        by_op.setdefault(use.node.op, []).append(use)
    for op, uses in sorted(by_op.items()):
        names = sorted({name for use in uses for name in use.held.variables})
        nodes = [_node(use.body, use.node) for use in uses]
        yield _refusal(
            f"op {op} works on the variable itself ({some_of(names)}), not on its value, and has "
            f"no form with constants: {some_of(nodes)}.",
            f"{_SAVED_MODEL}, or compute on the variable's value.",
        )


def refuse_captures(traced: Any, face: Interface, known: Known) -> Iterable[Problem]:
    """Captured resources that are no variable: iterators, generators of other kinds, and tables
    but those that stay and are only read."""
    for capture, captured in face.captures.items():
        if captured.dtype not in (tf.resource, tf.variant) or id(captured) in known.variables:
            continue
        held = Held(
            dtype=captured.dtype.as_datatype_enum,
            shape=tensor_shape_pb2.TensorShapeProto(),
            variables=frozenset({capture}),
        )
        flow = HandleFlow(traced, {capture: held})
        uses = [use for use in flow.uses() if use.node.op not in _ROUTES]
        stays = id(captured) in known.tables and all(u.node.op in TABLE_READS for u in uses)
        if stays or not uses:
            continue
        nodes = [_node(use.body, use.node) for use in uses]
        if any("LookupTable" in use.node.op for use in uses):
            what, hint = "a lookup table, which lies outside the graph", _MOVE_OUT
        elif all(use.node.op in _OF_VARIABLES or writes_state(use.node.op) for use in uses):
            what = f"variable {capture!r}, which is not among the variables that were restored"
            hint = "Keep every variable reachable from the model as an attribute."
        else:
            what, hint = f"a resource that is no variable ({capture!r})", _MOVE_OUT
        yield _refusal(f"the model uses {what}: {some_of(nodes)}.", hint)


def refuse_nodes(bodies: Iterable[tuple[str, Iterable[Any]]]) -> Iterable[Problem]:
    """Nodes that need something which only this process, or a session, has."""
    for body, nodes in bodies:
        for node in nodes:
            if node.op in _PYTHON:
                yield _refusal(
                    f"{_node(body, node)} runs Python code (`tf.py_function` or "
                    "`tf.numpy_function`), which no exported file contains.",
                    "Write it with TensorFlow ops, or move it out of the exported method.",
                )
            elif _makes_resource(node):
                yield _refusal(
                    f"{_node(body, node)} makes a resource whose content a GraphDef cannot hold.",
                    f"{_SAVED_MODEL}, or move it out of the exported method.",
                )


_ROUTES = {
    "Identity", "IdentityN", "Enter", "Exit", "Switch", "_SwitchN", "Merge", "NextIteration",
    "PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "Case", "StatelessCase",
    "While", "StatelessWhile",
}  # fmt: skip


def _makes_resource(node: Any) -> bool:
    definition = None if node.op in _STEP_LOCAL | _ROUTES else op_definition(node.op)
    if definition is None:
        return False
    return any(out.type == types_pb2.DT_RESOURCE or out.is_ref for out in definition.output_arg)


def _node(body: str, node: Any) -> str:
    return f"{node.op} {node.name!r}" + ("" if body == MAIN else f" in function {body!r}")


def _refusal(message: str, hint: str) -> Problem:
    return Problem(
        code=ExitCode.TARGET, message=f"This model cannot be frozen: {message}", hint=hint
    )

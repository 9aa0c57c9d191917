"""One signature as a graph of constants, still under the names of its own trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import node_def_pb2

from ckpt_action.engine.freeze import refusals, stock
from ckpt_action.engine.freeze.control import drop_idle_waits
from ckpt_action.engine.freeze.convert import convert, place_constant
from ckpt_action.engine.freeze.functions import rename_by_content
from ckpt_action.engine.freeze.graph import MAIN, producer
from ckpt_action.engine.freeze.handles import HandleFlow, Held
from ckpt_action.engine.freeze.inline import inlined
from ckpt_action.engine.freeze.interface import Interface, Known, interface
from ckpt_action.engine.freeze.internals import Unavailable
from ckpt_action.engine.freeze.order import needed
from ckpt_action.engine.freeze.tables import place_table
from ckpt_action.engine.freeze.tidy import tidy
from ckpt_action.engine.records import ModelVariable, TracedSignature
from ckpt_action.errors import CkptActionError, Problem

OUTPUT = "@output/"
"""Prefix, illegal in node names, of the nodes that will bear the outputs' names."""


@dataclass(frozen=True, kw_only=True)
class Part:
    signature: TracedSignature
    interface: Interface
    nodes: list[Any]
    """In file order, from the inputs to the nodes `@output/<name>`."""
    functions: list[Any]
    values: Mapping[str, Any]
    """Const node to the ModelVariable or the captured tensor whose value it takes; a table's node
    to the table."""
    by_stock: bool
    """True where TensorFlow's own freezer had to do it."""


def make_part(signature: TracedSignature, known: Known, *, lower_control_flow: bool) -> Part:
    """Raises CkptActionError (TARGET)."""
    face = interface(signature)
    traced = signature.function.graph.as_graph_def()
    handles = _handles(face, known.variables)
    refuse(
        *refusals.refuse_writes(HandleFlow(traced, handles)),
        *refusals.refuse_captures(traced, face, known),
    )
    try:
        graph = inlined(traced, _fetches(face), lower_control_flow=lower_control_flow)
        _to_constants(HandleFlow(graph, handles))
        by_stock = False
    except Unavailable:
        refuse(*stock.refuse_what_it_breaks(HandleFlow(traced, handles)))
        graph = stock.frozen(signature.function, lower_control_flow=lower_control_flow)
        by_stock = True
    return _finish(signature, face, graph, known, by_stock=by_stock)


def refuse(*problems: Problem) -> None:
    if problems:
        raise CkptActionError(*problems)


def _to_constants(flow: HandleFlow) -> None:
    refuse(*refusals.refuse_handle_uses(flow))
    convert(flow)


def _finish(
    signature: TracedSignature,
    face: Interface,
    graph: Any,
    known: Known,
    *,
    by_stock: bool,
) -> Part:
    values = {}
    by_name = {node.name: node for node in graph.node}
    for name, captured in face.captures.items():
        if name not in by_name:
            continue
        if id(captured) in known.tables:
            values[name] = known.tables[id(captured)]
            place_table(by_name[name], values[name])
            continue
        variable = known.variables.get(id(captured))
        tensor = tf.convert_to_tensor(variable.variable if variable else captured)
        place_constant(by_name[name], tensor.dtype.as_datatype_enum, tensor.shape.as_proto())
        values[name] = variable or captured
    tidy(graph)
    drop_idle_waits(graph)
    outputs = [_output(name, tensor, by_name) for name, tensor in face.outputs.items()]
    roots = [*(t.op.name for t in face.inputs.values()), *(node.name for node in outputs)]
    nodes = needed([*graph.node, *outputs], roots)
    functions = rename_by_content(nodes, {f.signature.name: f for f in graph.library.function})
    made_here = [node for node in nodes if node.name not in values]
    bodies = [(MAIN, made_here), *((f.signature.name, f.node_def) for f in functions)]
    refuse(*refusals.refuse_nodes(bodies))
    used = {node.name for node in nodes}
    return Part(
        signature=signature,
        interface=face,
        nodes=nodes,
        functions=functions,
        values={name: value for name, value in values.items() if name in used},
        by_stock=by_stock,
    )


def _handles(face: Interface, variables: Mapping[int, ModelVariable]) -> dict[str, Held]:
    held = {}
    for node, captured in face.captures.items():
        known = variables.get(id(captured))
        if known is not None:
            tensor = tf.convert_to_tensor(known.variable)
            held[node] = Held(
                dtype=tensor.dtype.as_datatype_enum,
                shape=tensor.shape.as_proto(),
                variables=frozenset({known.path}),
            )
    return held


def _fetches(face: Interface) -> list[str]:
    return [tensor.name for tensor in (*face.inputs.values(), *face.outputs.values())]


def _output(name: str, tensor: Any, by_name: Mapping[str, Any]) -> Any:
    """A node for the declared name; takes the place of the Identity that tracing put there."""
    source = by_name[producer(tensor.name)]
    reference = tensor.name.removesuffix(":0")
    if source.op == "Identity" and len(source.input) == 1:
        reference = source.input[0]
    node = node_def_pb2.NodeDef(name=OUTPUT + name, op="Identity", input=[reference])
    node.attr["T"].type = tensor.dtype.as_datatype_enum
    return node

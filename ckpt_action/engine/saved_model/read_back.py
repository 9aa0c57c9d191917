"""What the functions of a written SavedModel are bound to, read from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.checkpoint.records import ObjectGraph
from ckpt_action.engine.arrays import digest
from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.saved_model.signature_defs import INTERNAL
from ckpt_action.engine.saved_model.tree import VALUE


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One signature; everything in the order of its function."""

    function: str
    inputs: tuple[str, ...]
    captures: tuple[str, ...]
    """Paths of variables, and digests of constants."""
    outputs: tuple[str, ...]


def by_objects(meta: Any, tracked: ObjectGraph, payloads: Mapping[str, str]) -> dict[str, Binding]:
    """As `tf.saved_model.load` binds: an object's value is that of the object in the checkpoint
    to which the same attributes lead."""
    graph, constants = meta.object_graph_def, _constants(meta)
    held: dict[int, str] = {}
    for number, stored in _pairs(graph, tracked):
        node, attributes = graph.nodes[number], tracked.nodes[stored].attributes
        if node.HasField("variable") and VALUE in attributes:
            held[number] = payloads.get(attributes[VALUE][1], "")
        elif node.HasField("constant"):
            held[number] = constants.get(node.constant.operation, "")
    (signatures,) = (c.node_id for c in graph.nodes[0].children if c.local_name == "signatures")
    found = {}
    for child in graph.nodes[signatures].children:
        bare = graph.nodes[child.node_id].bare_concrete_function
        function = graph.concrete_functions[bare.concrete_function_name]
        found[child.local_name] = Binding(
            function=bare.concrete_function_name,
            inputs=tuple(bare.argument_keywords),
            captures=tuple(held.get(number, "") for number in function.bound_inputs),
            outputs=tuple(sorted(function.output_signature.dict_value.fields)),
        )
    return found


def _pairs(graph: Any, tracked: ObjectGraph) -> Iterator[tuple[int, int]]:
    """Each saved object and its counterpart in the checkpoint."""
    waiting = [(0, 0)]
    while waiting:
        number, stored = waiting.pop()
        yield number, stored
        below = tracked.nodes[stored].children
        waiting += [
            (child.node_id, below[child.local_name])
            for child in graph.nodes[number].children
            if child.local_name in below
        ]


def by_nodes(meta: Any, payloads: Mapping[str, str]) -> dict[str, Binding]:
    """As a session binds that ran the op which restores."""
    nodes = {node.name: node for node in meta.graph_def.node}
    restored = dict(_restored(meta, nodes))
    held = _constants(meta) | {
        node.name: payloads.get(restored.get(node.attr["shared_name"].s, ""), "")
        for node in nodes.values()
        if node.op == "VarHandleOp"
    }
    found = {}
    for name, signature in meta.signature_def.items():
        if name.startswith(INTERNAL):
            continue
        inputs = {producer(info.name): key for key, info in signature.inputs.items()}
        outputs = {info.name: key for key, info in signature.outputs.items()}
        call = nodes[producer(next(iter(outputs)))]
        count = len(call.attr["Tout"].list.type)
        found[name] = Binding(
            function=call.attr["f"].func.name,
            inputs=tuple(inputs.get(fed, "") for fed in call.input[: len(inputs)]),
            captures=tuple(held.get(taken, "") for taken in call.input[len(inputs) :]),
            outputs=tuple(outputs.get(f"{call.name}:{index}", "") for index in range(count)),
        )
    return found


def _restored(meta: Any, nodes: Mapping[str, Any]) -> Iterator[tuple[bytes, str]]:
    """(shared name of a handle, checkpoint key that its value is restored from)."""
    for reference in nodes[meta.saver_def.restore_op_name].input:
        handle, value = nodes[producer(reference)].input
        read = nodes[producer(value)]
        keys = tf.make_ndarray(nodes[read.input[1]].attr["value"].tensor)
        _, _, output = value.partition(":")
        yield nodes[handle].attr["shared_name"].s, keys[int(output or 0)].decode()


def _constants(meta: Any) -> dict[str, str]:
    return {
        node.name: digest(tf.make_ndarray(node.attr["value"].tensor))
        for node in meta.graph_def.node
        if node.op == "Const"
    }

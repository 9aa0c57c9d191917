"""What depends on constants alone, computed once: by TensorFlow, as the model itself does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.freeze.graph import called, producer
from ckpt_action.engine.internals import op_definition
from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, constant_node
from ckpt_action.engine.prepare.identities import IDENTITIES

_SMALL = 1 << 16
"""Bytes up to which a result may be larger than what it was computed from."""
_FRAMED = {"Enter", "Exit", "Switch", "Merge", "NextIteration", "LoopCond", "_SwitchN"}


def fold_constants(graph: Any, keep: tuple[str, ...]) -> Any:
    """Of the main graph; a function's nodes stay, for what they read is told at run time."""
    return edited(graph, keep, _fold, functions=False)


def _fold(body: Editor) -> None:
    foldable = _foldable(body)
    results = [name for name in foldable if _is_read(body, name, foldable)]
    weights = {name: weight for name in results if (weight := _handed_on(body, name)) is not None}
    values = _computed(body, foldable, [name for name in results if name not in weights])
    for name, value in values.items():
        node = body.nodes[name]
        if value.nbytes <= max(_SMALL, foldable[name]):
            constant = constant_node(name, value)
            body.become(node, "Const", (), **dict(constant.attr))
    for name, weight in weights.items():
        attrs = {key: weight.attr[key] for key in ("dtype", "value")}
        body.become(body.nodes[name], "Const", (), **attrs)


def _handed_on(body: Editor, name: str) -> Any | None:
    """The constant that a node hands on as it is, which nobody needs to compute; None where it is
    written in another way than `constant_node` would."""
    node: Any | None = body.nodes[name]
    while node is not None and node.op in IDENTITIES and len(node.input) == 1:
        node = body.producer(node.input[0])
    if node is None or node.op != "Const":
        return None
    tensor = node.attr["value"].tensor
    return node if tensor.tensor_shape.dim and tensor.tensor_content else None


def _foldable(body: Editor) -> dict[str, int]:
    """Name to the bytes of the constants behind it, of every node that constants decide."""
    found: dict[str, int] = {}
    pending = [node for node in body.nodes.values() if node.op == "Const"]
    constants = {node.name: node.ByteSize() for node in pending if not node.input}
    for node in pending:  # grows: the readers of what was found
        for reader, _ in body.readers(node):
            if reader.name in found or not _may_fold(body, reader):
                continue
            inputs = [body.producer(reference) for reference in reader.input]
            known = [found.get(i.name, constants.get(i.name)) for i in inputs if i is not None]
            if None not in known:
                found[reader.name] = sum(size for size in known if size is not None)
                pending.append(reader)
    return found


def _may_fold(body: Editor, node: Any) -> bool:
    definition = op_definition(node.op)
    return (
        definition is not None
        and not definition.is_stateful
        and len(definition.output_arg) == 1
        and not definition.output_arg[0].number_attr
        and not definition.output_arg[0].type_list_attr
        and node.op not in _FRAMED
        and node.name not in body.keep
        and not any(reference.startswith("^") for reference in node.input)
        and not any(called(node))
    )


def _is_read(body: Editor, name: str, foldable: dict[str, int]) -> bool:
    return any(reader.name not in foldable for reader, _ in body.readers(body.nodes[name]))


def _computed(body: Editor, foldable: dict[str, int], results: list[str]) -> dict[str, Array]:
    if not results:
        return {}
    graph = graph_pb2.GraphDef(versions=tf.Graph().as_graph_def().versions)
    graph.node.extend(_needed(body, foldable))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        tensors = {name: session.graph.get_tensor_by_name(f"{name}:0") for name in results}
        plain = {n: t for n, t in tensors.items() if t.dtype not in (tf.variant, tf.resource)}
        values = session.run(plain)
    # A scalar of strings comes as bytes.
    return {
        name: np.asarray(value, object if plain[name].dtype == tf.string else None)
        for name, value in values.items()
    }


def _needed(body: Editor, foldable: dict[str, int]) -> Iterator[Any]:
    inputs = (producer(reference) for name in foldable for reference in body.nodes[name].input)
    yield from (body.nodes[name] for name in dict.fromkeys((*inputs, *foldable)))

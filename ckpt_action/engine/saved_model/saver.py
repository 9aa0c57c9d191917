"""Restoring and saving inside the graph: what sessions, C++ and TensorFlow Serving load with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saver_pb2

from ckpt_action.checkpoint.object_graph import GRAPH_KEY
from ckpt_action.engine.saved_model.content import Bound, Content
from ckpt_action.engine.saved_model.graph_writer import GraphWriter, shape_of, type_of, types_of

_TEXT = tf.TensorSpec([], tf.string)


def write_saver(
    graph: GraphWriter, content: Content, names: Mapping[Bound, str], object_graph: bytes
) -> Any:
    """Add the nodes; the SaverDef that names them.

    `names` has the nodes of the handles; `object_graph` is saved with the variables.
    """
    file = graph.add("Placeholder", "saver_filename", dtype=type_of(_TEXT), shape=shape_of(_TEXT))
    assigned = _restore(graph, content, names, file) if content.variables else []
    restore = graph.add("NoOp", "save/restore_all", [f"^{name}" for name in assigned])
    save = _save(graph, content, names, file, object_graph)
    saved = graph.add("Identity", "save/saved", [file, f"^{save}"], T=type_of(_TEXT))
    return saver_pb2.SaverDef(
        filename_tensor_name=f"{file}:0",
        restore_op_name=restore,
        save_tensor_name=f"{saved}:0",
        version=saver_pb2.SaverDef.V2,
    )


def _restore(
    graph: GraphWriter, content: Content, names: Mapping[Bound, str], file: str
) -> list[str]:
    variables = [stored.variable for stored in content.variables]
    what = _what(graph, [stored.key for stored in content.variables], "restore")
    read = graph.add("RestoreV2", "save/RestoreV2", [file, *what], dtypes=types_of(variables))
    return [
        graph.add(
            "AssignVariableOp",
            "save/Assign",
            [names[stored], f"{read}:{index}" if index else read],
            dtype=type_of(stored.variable),
        )
        for index, stored in enumerate(content.variables)
    ]


def _save(
    graph: GraphWriter,
    content: Content,
    names: Mapping[Bound, str],
    file: str,
    object_graph: bytes,
) -> str:
    what = _what(graph, [*(stored.key for stored in content.variables), GRAPH_KEY], "save")
    values = [
        graph.add("ReadVariableOp", "save/Read", [names[stored]], dtype=type_of(stored.variable))
        for stored in content.variables
    ]
    values.append(graph.constant("save/object_graph", object_graph))
    dtypes = types_of([*(stored.variable for stored in content.variables), _TEXT])
    return graph.add("SaveV2", "save/SaveV2", [file, *what, *values], dtypes=dtypes)


def _what(graph: GraphWriter, keys: list[str], step: str) -> tuple[str, str]:
    """The keys, and that each value is whole."""
    return (
        graph.constant(f"save/{step}_keys", keys),
        graph.constant(f"save/{step}_slices", [""] * len(keys)),
    )

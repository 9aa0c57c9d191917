"""Lookup tables: what they hold, as the graph that TensorFlow.js runs before the first call.

A table's node has the same name in both graphs, by which TensorFlow.js knows that it is one table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from ckpt_action.engine.arrays import Array, to_array
from ckpt_action.engine.freeze.tables import TABLE_READS
from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, attr, constant_node, value_of

_MARK = "\ufeff"
"""Byte order mark, with which the first line of a vocabulary file may begin."""


def keep_shapes(graph: Any, keep: tuple[str, ...]) -> Any:
    """TensorFlow.js gives what it found in one row, whatever the shape of the keys."""
    return edited(graph, keep, _keep_shapes, functions=False)


def _keep_shapes(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "LookupTableFindV2"]:
        taken, given = (tf.as_dtype(node.attr[key].type) for key in ("Tin", "Tout"))
        inputs = list(node.input)
        found = body.add(node, "found", node.op, inputs, Tin=attr(taken), Tout=attr(given))
        types = {"T": attr(taken), "out_type": attr(tf.int32)}
        shape = body.add(node, "shape", "Shape", [inputs[1]], **types)
        body.become(node, "Reshape", [found, shape], T=attr(given), Tshape=attr(tf.int32))


def filling(graph: Any, tables: Mapping[str, Any]) -> Any:
    """A GraphDef that fills those `tables` that `graph` has, known by their nodes' names."""
    made = graph_pb2.GraphDef(versions=graph.versions)
    taken = {node.name for node in graph.node}
    for node in graph.node:
        if node.name not in tables:
            continue
        keys, values = contents(tables[node.name])
        made.node.add().CopyFrom(node)
        constants = [
            constant_node(free(f"{node.name}/{part}", taken), array)
            for part, array in (("keys", keys), ("values", values))
        ]
        made.node.extend(constants)
        fill = made.node.add(name=free(f"{node.name}/filled", taken), op="LookupTableImportV2")
        fill.input.extend([node.name, *(constant.name for constant in constants)])
        fill.attr["Tin"].type = constants[0].attr["dtype"].type
        fill.attr["Tout"].type = constants[1].attr["dtype"].type
    return made


def contents(table: Any) -> tuple[Array, Array]:
    """Keys and values, in the order of the keys."""
    keys, values = (to_array(part) for part in table.export())
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]


def unreadable_tables(graph: Any, filled: Any) -> Iterator[str]:
    """What TensorFlow.js does not do with tables that `graph` asks for, in words."""
    for function in graph.library.function:
        for node in function.node_def:
            if node.op in TABLE_READS:
                yield (
                    f"it has no tables within loops and branches, and {node.name!r} in function "
                    f"{function.signature.name!r} reads one."
                )
    arrays = {node.name: value_of(node) for node in filled.node if node.op == "Const"}
    for node in filled.node:
        if node.op == "LookupTableImportV2":
            table, keys, values = node.input
            if arrays[values].ndim != 1:
                yield f"its tables hold single values, and those of {table!r} are rows."
            elif not arrays[keys].size:
                yield f"it cannot fill a table with nothing, as {table!r}."
            elif not all(map(_stays_apart, arrays[keys].tolist())):
                yield (
                    "it reads keys as UTF-8 and leaves out a byte order mark, and some of "
                    f"{table!r} are not UTF-8 or begin with that mark."
                )


def _stays_apart(key: object) -> bool:
    """Whether no other key becomes the same text in JavaScript."""
    if not isinstance(key, bytes):
        return True
    try:
        return not key.decode().startswith(_MARK)
    except UnicodeDecodeError:
        return False


def free(name: str, taken: set[str]) -> str:
    """`name`, longer where it is `taken`; it is then too."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name

"""Lookup tables of a TF1 graph: made anew where their contents are constants of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.errors import CkptActionError, ExitCode, Problem

_INITIALISERS = ("InitializeTable", "InitializeTableV2", "LookupTableImport", "LookupTableImportV2")


def make_tables(meta: Any, names: set[str]) -> dict[str, Any]:
    """Node name to a new table of the same contents.

    Raises CkptActionError (REBUILD) naming each table that is filled from elsewhere.
    """
    nodes = {node.name: node for node in meta.graph_def.node}
    fillers = {
        node.input[0].split(":")[0]: node
        for node in meta.graph_def.node
        if node.op in _INITIALISERS
    }
    tables: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in sorted(names):
        contents = _contents(nodes, fillers.get(name)) if nodes[name].op == "HashTableV2" else None
        if contents is None:
            problems.append(
                Problem(
                    code=ExitCode.REBUILD,
                    message=f"the lookup table {name} ({nodes[name].op}) is not filled from "
                    "constants of the graph.",
                    hint="Name tensors behind the lookup as inputs, or name an `entry-point`.",
                )
            )
            continue
        keys, values = contents
        tables[name] = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, values),
            default_value=tf.zeros((), values.dtype),  # each lookup in the graph brings its own
        )
    if problems:
        raise CkptActionError(*problems)
    return tables


def _contents(nodes: Mapping[str, Any], filler: Any) -> tuple[tf.Tensor, tf.Tensor] | None:
    if filler is None or len(filler.input) < 3:
        return None
    keys, values = (_constant(nodes, reference) for reference in filler.input[1:3])
    return None if keys is None or values is None else (keys, values)


def _constant(nodes: Mapping[str, Any], reference: str) -> tf.Tensor | None:
    node = nodes[reference.split(":", maxsplit=1)[0]]
    while node.op == "Identity":
        node = nodes[node.input[0].split(":", maxsplit=1)[0]]
    if node.op != "Const":
        return None
    return tf.constant(tf.make_ndarray(node.attr["value"].tensor))

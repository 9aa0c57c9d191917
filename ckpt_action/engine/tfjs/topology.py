"""Passes that only TensorFlow.js needs; see `engine.prepare` for what a pass is."""

from __future__ import annotations

from typing import Any

from tensorflow.core.framework import node_def_pb2

from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.freeze.order import needed
from ckpt_action.engine.prepare.duplicates import merge_constants
from ckpt_action.engine.prepare.nearest import rewrite_nearest
from ckpt_action.engine.prepare.nodes import with_own_nodes
from ckpt_action.engine.prepare.one_hot import rewrite_one_hot
from ckpt_action.engine.prepare.plain import PLAIN
from ckpt_action.engine.tfjs.floor_division import rewrite_floor_division
from ckpt_action.engine.tfjs.fuse import fuse
from ckpt_action.engine.tfjs.lists import keep_list_items
from ckpt_action.engine.tfjs.prelu import use_prelu
from ckpt_action.engine.tfjs.tables import free, keep_shapes


def drop_waits(graph: Any, keep: tuple[str, ...]) -> Any:
    """Control edges go, and with them what only they kept: assertions and the like.

    TensorFlow.js reads a control edge as an input that must have a value. Nothing of a graph of
    constants depends on the order in which it runs, for loops and branches are functions here.
    """
    made = with_own_nodes(graph)
    for nodes in [made.node, *(f.node_def for f in made.library.function)]:
        for node in nodes:
            node.input[:] = [r for r in node.input if not r.startswith("^")]
    for function in made.library.function:
        function.control_ret.clear()
        del function.signature.control_output[:]
        results = {producer(reference) for reference in function.ret.values()}
        _retain(function.node_def, results)
    kept = type(graph)(library=made.library, versions=made.versions)
    kept.node.extend(needed(made.node, keep))
    return kept


def _retain(nodes: Any, wanted: set[str]) -> None:
    by_name = {node.name: node for node in nodes}
    waiting = list(wanted)
    while waiting:
        node = by_name.get(waiting.pop())
        for reference in node.input if node is not None else ():
            if producer(reference) not in wanted:
                wanted.add(producer(reference))
                waiting.append(producer(reference))
    kept = [type(n).FromString(n.SerializeToString()) for n in nodes if n.name in wanted]
    del nodes[:]
    nodes.extend(kept)


def give_results_nodes(graph: Any, keep: tuple[str, ...]) -> Any:  # noqa: ARG001 - a pass
    """Each result of a function from a node of its own.

    TensorFlow.js remembers one output per node that a function returns: of a Split of which two
    parts are returned, it would return one part twice.
    """
    made = with_own_nodes(graph)
    for function in made.library.function:
        taken = {node.name for node in function.node_def}
        for number, result in enumerate(function.signature.output_arg):
            name = free(f"result_{number}", taken)
            node = node_def_pb2.NodeDef(name=name, op="Identity", input=[function.ret[result.name]])
            node.attr["T"].type = result.type
            function.node_def.append(node)
            function.ret[result.name] = f"{name}:output:0"
    return made


PASSES = (
    drop_waits,
    rewrite_nearest,
    rewrite_one_hot,
    rewrite_floor_division,
    *PLAIN,
    merge_constants,
    keep_shapes,
    use_prelu,
    fuse,
    give_results_nodes,
    keep_list_items,
)

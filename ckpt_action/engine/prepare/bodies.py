"""A pass over all bodies of a GraphDef: a new GraphDef in which each was edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ckpt_action.engine.freeze.functions import replace_nodes
from ckpt_action.engine.freeze.graph import producer
from ckpt_action.engine.freeze.order import needed
from ckpt_action.engine.internals import op_definition
from ckpt_action.engine.prepare.editor import Editor
from ckpt_action.engine.prepare.nodes import own

Edit = Callable[[Editor], None]


def edited(graph: Any, keep: Iterable[str], edit: Edit, *, functions: bool = True) -> Any:
    """`graph` after `edit`, without the nodes that nothing needs any more.

    `keep` names the nodes of the main graph that are fed or fetched.
    """
    keep = tuple(keep)
    main = Editor(own(graph.node), keep)
    edit(main)
    made = type(graph)(library=graph.library, versions=graph.versions)
    made.node.extend(needed(main.nodes.values(), keep))
    for function in made.library.function if functions else ():
        results = [producer(r) for r in (*function.ret.values(), *function.control_ret.values())]
        body = Editor(function.node_def, results, function.ret)
        edit(body)
        replace_nodes(function.node_def, _running(body, results))
    return made


def _running(body: Editor, results: Iterable[str]) -> list[Any]:
    """The nodes of a function that have an effect: on its results, or on some state."""
    waiting = [*results, *(n.name for n in body.nodes.values() if _has_effect(n))]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in body.nodes and name not in found:  # otherwise: an argument
            found.add(name)
            waiting += [producer(reference) for reference in body.nodes[name].input]
    return [node for node in body.nodes.values() if node.name in found]


def _has_effect(node: Any) -> bool:
    definition = op_definition(node.op)
    return definition is None or bool(definition.is_stateful)

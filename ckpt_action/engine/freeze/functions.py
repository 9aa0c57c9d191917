"""Library functions under names that come from their content.

TensorFlow numbers functions as a process traces them. Names by content are the same in every
process, and two frozen graphs imported into one process cannot clash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from ckpt_action.engine.freeze.graph import called, producer, reachable_functions
from ckpt_action.engine.freeze.order import needed

_NUMBER = re.compile(r"_\d+(?=_|$)")
_PER_PROCESS = (
    "forward_function_name", "backward_function_name", "_original_func_name",
    "api_implements", "api_preferred_device",
)  # fmt: skip


def rename_by_content(nodes: Iterable[Any], functions: dict[str, Any]) -> list[Any]:
    """The functions that `nodes` need, renamed there and in all callers; sorted by name."""
    nodes = list(nodes)
    names: dict[str, str] = {}
    used = reachable_functions(nodes, functions)
    for name in used:
        _rename(name, functions, names)
    for node in nodes:
        for reference in called(node):
            reference.name = names.get(reference.name, reference.name)
    unique = {functions[name].signature.name: functions[name] for name in used}
    return [unique[name] for name in sorted(unique)]


def _rename(name: str, functions: dict[str, Any], names: dict[str, str]) -> str:
    if name in names or name not in functions:
        return names.get(name, name)
    function = functions[name]
    names[name] = name  # a function that calls itself keeps its name inside
    _in_order(function)
    for node in function.node_def:
        for reference in called(node):
            reference.name = _rename(reference.name, functions, names)
    for key in _PER_PROCESS:
        function.attr.pop(key, None)
    function.signature.name = ""
    content = hashlib.sha256(function.SerializeToString(deterministic=True)).hexdigest()
    base = _NUMBER.sub("", name).removeprefix("__inference_").strip("_")
    function.signature.name = names[name] = f"{base}_{content[:16]}"
    return names[name]


def _in_order(function: Any) -> None:
    """Nodes in an order of their own; none with an effect is dropped, for a function runs them all.

    Where TensorFlow cuts a part out of a graph with loops, it leaves placeholders that nothing
    reads: as many as the process happens to make.
    """
    _drop_unread_placeholders(function)
    arguments = {argument.name for argument in function.signature.input_arg}
    results = [function.ret[result.name] for result in function.signature.output_arg]
    everything = [*results, *sorted(node.name for node in function.node_def)]
    roots = [name for name in everything if producer(name) not in arguments]
    body = [_without_arguments(node, arguments) for node in function.node_def]
    originals = {node.name: node for node in function.node_def}
    replace_nodes(function.node_def, [originals[node.name] for node in needed(body, roots)])


def replace_nodes(field: Any, nodes: list[Any]) -> None:
    """`field`, repeated nodes of a graph or function, holds copies of `nodes` afterwards."""
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del field[:]
    field.extend(copies)


def _drop_unread_placeholders(function: Any) -> None:
    read = {producer(reference) for node in function.node_def for reference in node.input}
    read |= {producer(reference) for reference in function.ret.values()}
    kept = [n for n in function.node_def if n.op != "Placeholder" or n.name in read]
    replace_nodes(function.node_def, kept)


def _without_arguments(node: Any, arguments: set[str]) -> Any:
    """Only what ordering needs: name, op and inputs from other nodes."""
    inputs = [reference for reference in node.input if producer(reference) not in arguments]
    return type(node)(name=node.name, op=node.op, input=inputs)

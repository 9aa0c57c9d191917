"""What a loop writes into a list, kept alive by carrying it along as a variable of the loop.

When a function of a graph model ends, TensorFlow.js frees every tensor that it made and did not
return, those in a list too; a list that is read after the loop is then gone. A tensor that was
returned stays, and a loop frees none that lies in a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2

from ckpt_action.engine.prepare.editor import constant_node
from ckpt_action.engine.prepare.nodes import with_own_nodes

_WRITES = {"TensorListSetItem": 2, "TensorListPushBack": 1}
"""Op to the index of the input that is written."""
_LOOPS = ("While", "StatelessWhile")
_BRANCHES = ("If", "StatelessIf")


@dataclass(frozen=True)
class _Item:
    """A tensor of a function that a list holds."""

    reference: str
    dtype: int


def keep_list_items(graph: Any, keep: tuple[str, ...]) -> Any:  # noqa: ARG001 - a pass
    made = with_own_nodes(graph)
    keeper = _Keeper(made)
    for node in [n for n in made.node if n.op in _LOOPS]:
        keeper.carry(node, made.node, function=False)
    return made


def writes_in_branches(graph: Any) -> Iterator[str]:
    """Names of branches that write into lists, for which there is no such way."""
    functions = {f.signature.name: f for f in graph.library.function}
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            if node.op in _BRANCHES and any(_writes(name, functions) for name in _called(node)):
                yield node.name


def _writes(name: str, functions: dict[str, Any]) -> bool:
    return any(
        node.op in _WRITES or any(_writes(c, functions) for c in _called(node))
        for node in functions[name].node_def
    )


def _called(node: Any) -> list[str]:
    return [value.func.name for value in node.attr.values() if value.HasField("func")]


class _Keeper:
    def __init__(self, graph: Any) -> None:
        self._functions = {f.signature.name: f for f in graph.library.function}
        self._done: dict[str, list[_Item]] = {}

    def carry(self, loop: Any, nodes: Any, *, function: bool) -> list[_Item]:
        """Give `loop`, one of `nodes`, a variable for each item that its body writes; returns
        these variables' values after the loop."""
        cond, body = (self._functions[loop.attr[key].func.name] for key in ("cond", "body"))
        before = len(loop.attr["T"].list.type)
        items = self._items(body)
        if len(cond.signature.input_arg) == before:
            for number, item in enumerate(items):
                _add_argument(cond, f"kept_item_{number}", item.dtype)
        for number, item in enumerate(items):
            start = np.zeros((), tf.as_dtype(item.dtype).as_numpy_dtype)
            constant = constant_node(f"{loop.name}/kept_item_{number}", start)
            nodes.append(constant)
            loop.input.append(f"{constant.name}:output:0" if function else constant.name)
            loop.attr["T"].list.type.append(item.dtype)
            if loop.attr["output_shapes"].list.shape:
                loop.attr["output_shapes"].list.shape.add().unknown_rank = True
        ports = range(before, before + len(items))
        return [
            _Item(f"{loop.name}:output:{port}", item.dtype)
            for port, item in zip(ports, items, strict=True)
        ]

    def _items(self, body: Any) -> list[_Item]:
        """What `body` writes into lists, which it takes and returns from now on."""
        name = body.signature.name
        if name not in self._done:
            items = []
            for node in list(body.node_def):
                if node.op in _WRITES:
                    items.append(_separate(body, node))
                elif node.op in _LOOPS:
                    items += self.carry(node, body.node_def, function=True)
            for number, item in enumerate(items):
                _add_argument(body, f"kept_item_{number}", item.dtype)
                result = f"kept_result_{number}"
                body.signature.output_arg.add(name=result, type=item.dtype)
                body.ret[result] = item.reference
            self._done[name] = items
        return self._done[name]


def _separate(body: Any, write: Any) -> _Item:
    """Let `write` write a tensor of its own, which can be returned as it is."""
    index, dtype = _WRITES[write.op], write.attr["element_dtype"].type
    identity = node_def_pb2.NodeDef(
        name=f"{write.name}/item", op="Identity", input=[write.input[index]]
    )
    identity.attr["T"].type = dtype
    body.node_def.append(identity)
    write.input[index] = f"{identity.name}:output:0"
    return _Item(write.input[index], dtype)


def _add_argument(function: Any, name: str, dtype: int) -> None:
    function.signature.input_arg.add(name=name, type=dtype)

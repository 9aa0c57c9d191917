"""The object graph that TF2 checkpoints carry (trackable_object_graph.proto)."""

from __future__ import annotations

from ckpt_action.checkpoint.records import ObjectGraph, ObjectNode
from ckpt_action.checkpoint.wire import MalformedError, as_bytes, as_int, as_text, fields

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


def parse_object_graph(data: bytes) -> ObjectGraph:
    """`TrackableObjectGraph`; raises MalformedError where it is no such message."""
    nodes = tuple(_node(as_bytes(value)) for number, value in fields(data) if number == 1)
    if not nodes:
        raise MalformedError("the object graph has no objects")
    for node in nodes:
        _check_references(node, len(nodes))
    return ObjectGraph(nodes=nodes)


def _node(message: bytes) -> ObjectNode:
    children: dict[str, int] = {}
    attributes: dict[str, tuple[str, str]] = {}
    slots: list[tuple[int, str, int]] = []
    registered = ""
    for number, value in fields(message):
        if number == 1:
            child, name, _ = _parts(as_bytes(value), numbers=(1,))
            children[name] = child
        elif number == 2:
            name, full_name, key = _texts(as_bytes(value))
            attributes[name] = (full_name, key)
        elif number == 3:
            original, name, slot = _parts(as_bytes(value), numbers=(1, 3))
            slots.append((original, name, slot))
        elif number == 4:
            registered = _texts(as_bytes(value))[0]
    return ObjectNode(
        children=children, attributes=attributes, slots=tuple(slots), registered_name=registered
    )


def _parts(message: bytes, *, numbers: tuple[int, ...]) -> tuple[int, str, int]:
    """`ObjectReference` and `SlotVariableReference`: node ids at `numbers`, a name at 2."""
    ids, name = {1: 0, 3: 0}, ""
    for number, value in fields(message):
        if number in numbers:
            ids[number] = as_int(value)
        elif number == 2:
            name = as_text(value)
    return ids[1], name, ids[3]


def _texts(message: bytes) -> tuple[str, str, str]:
    """`SerializedTensor` (name, full name, key) and the name of `RegisteredSaver`."""
    texts = {1: "", 2: "", 3: ""}
    for number, value in fields(message):
        if number in texts:
            texts[number] = as_text(value)
    return texts[1], texts[2], texts[3]


def _check_references(node: ObjectNode, count: int) -> None:
    referred = [*node.children.values()]
    for original, _, slot in node.slots:
        referred += [original, slot]
    for number in referred:
        if number >= count:
            raise MalformedError(f"the object graph refers to object {number} of {count}")

"""Large constants of tf2onnx's graph, shared by all its copies.

tf2onnx copies its graph before each of a dozen optimizers, twice over or more often, and each copy
of a constant holds its value twice. The values are never changed in place: an optimizer that
transposes a kernel gives the node a new one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from onnx import NodeProto
from tf2onnx.graph import Node

LARGE = 1024
"""Values of a constant."""


@contextmanager
def shared_constants() -> Iterator[None]:
    """Within it, and in this process alone, a node with a large value hands that on to its copy."""
    update = Node.update_proto

    def update_proto(node: Any, *arguments: Any, **named: Any) -> None:
        if _value(node) is None:  # else: written from the attribute, not from the node's proto
            update(node, *arguments, **named)

    Node.update_proto, Node.__deepcopy__ = update_proto, _copied
    try:
        yield
    finally:
        Node.update_proto = update
        del Node.__deepcopy__


def _copied(node: Any, memo: dict[int, Any]) -> Any:
    made = memo[id(node)] = object.__new__(type(node))
    value = _value(node)
    if value is not None:
        memo[id(value)] = value
        op = node.op
        memo[id(op)] = NodeProto(
            name=op.name, op_type=op.op_type, domain=op.domain, output=op.output
        )
    made.__dict__.update({key: copy.deepcopy(field, memo) for key, field in node.__dict__.items()})
    return made


def _value(node: Any) -> Any | None:
    """The attribute that holds a large constant."""
    value = node.attr.get("value") if node.is_const() else None
    return value if value is not None and math.prod(value.t.dims) >= LARGE else None

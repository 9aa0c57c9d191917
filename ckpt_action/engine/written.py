"""Which variables a traced function writes: never batch statistics, in inference mode."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ckpt_action.engine.objects import raw_variable, walk
from ckpt_action.engine.records import Restored
from ckpt_action.errors import CkptActionError, ExitCode, Problem

_WRITES = re.compile(r"Assign(Add|Sub)?VariableOp$|Resource(Scatter|StridedSliceAssign)")
_FUNCTION_ATTRIBUTES = ("f", "body", "cond", "then_branch", "else_branch", "branches")


def written_captures(graph: Any) -> frozenset[int]:
    """Identities of the captured handles that `graph` writes to, in nested functions too."""
    definition = graph.as_graph_def()
    library = {function.signature.name: function for function in definition.library.function}
    written = _written_names(definition.node, library)
    return frozenset(id(outer) for outer, inner in graph.captures if inner.op.name in written)


def refuse_training_writes(restored: Restored, signature: str, graph: Any) -> None:
    """Raise CkptActionError (SIGNATURE) where a batch normalization updates its statistics."""
    written = written_captures(graph)
    if not written:
        return
    problems = [
        Problem(
            code=ExitCode.SIGNATURE,
            message=f"signature {signature} runs the layer {path} in training mode although "
            "training=False was given: it would normalize by the batch and change its statistics.",
            hint="Hand `training` on to the layer instead of a fixed `training=True`.",
        )
        for path, item in walk(restored.rebuilt.model)
        if "BatchNorm" in type(item).__name__ and _statistics(item) & written
    ]
    if problems:
        raise CkptActionError(*problems)


def _statistics(layer: Any) -> frozenset[int]:
    moving = (raw_variable(getattr(layer, n, None)) for n in ("moving_mean", "moving_variance"))
    return frozenset(id(variable.handle) for variable in moving if variable is not None)


def _written_names(nodes: Sequence[Any], library: Mapping[str, Any]) -> set[str]:
    """Names of nodes or function arguments, in one body, whose resource is written in it."""
    aliases = {n.name: _source(n.input[0]) for n in nodes if n.op == "Identity" and n.input}
    written: set[str] = set()
    for node in nodes:
        data = [name for name in node.input if not name.startswith("^")]
        if _WRITES.match(node.op):
            written.add(_source(data[0]))
        for attribute in _FUNCTION_ATTRIBUTES:
            for function in _functions(node, attribute, library):
                arguments = [argument.name for argument in function.signature.input_arg]
                inside = _written_names(function.node_def, library)
                offset = len(data) - len(arguments)  # `If` and `Case` have the choice in front
                written |= {
                    _source(data[offset + place])
                    for place, argument in enumerate(arguments)
                    if argument in inside
                }
    for name in list(written):
        while name in aliases:
            name = aliases[name]  # noqa: PLW2901
            written.add(name)
    return written


def _functions(node: Any, attribute: str, library: Mapping[str, Any]) -> list[Any]:
    if attribute not in node.attr:
        return []
    value = node.attr[attribute]
    return [library[f.name] for f in (value.func, *value.list.func) if f.name in library]


def _source(reference: str) -> str:
    return reference.split(":", maxsplit=1)[0]

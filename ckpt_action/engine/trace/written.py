"""Which variables a traced function writes: never weights, in inference mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ckpt_action.engine.records import Restored
from ckpt_action.engine.trace.op_kinds import writes_state
from ckpt_action.errors import ExitCode, Problem, warning

_FUNCTION_ATTRIBUTES = ("f", "body", "cond", "then_branch", "else_branch", "branches")


def written_captures(graph: Any) -> frozenset[int]:
    """Identities of the captured handles that `graph` writes to, in nested functions too."""
    definition = graph.as_graph_def()
    library = {function.signature.name: function for function in definition.library.function}
    written = _written_names(definition.node, library)
    return frozenset(id(outer) for outer, inner in graph.captures if inner.op.name in written)


def training_writes(restored: Restored, signature: str, graph: Any) -> tuple[Problem, ...]:
    """What is wrong where a signature writes variables that the checkpoint restores.

    Errors for floating-point vectors and larger: in inference mode nothing writes weights, and
    batch statistics are written by layers that also normalize by the batch. Warnings for counters
    and the like. State that no checkpoint holds may be written.
    """
    written = written_captures(graph)
    state = set(restored.binding.state)
    found = [
        v for v in restored.variables if id(v.variable.handle) in written and v.path not in state
    ]
    weights = [v.path for v in found if v.variable.dtype.is_floating and len(v.variable.shape)]
    others = [v.path for v in found if v.path not in weights]
    problems = []
    if weights:
        problems.append(
            Problem(
                code=ExitCode.SIGNATURE,
                message=f"signature {signature} runs in training mode: every call would write "
                f"{', '.join(weights)}, and batch statistics that are written are also taken from "
                "the batch instead of the checkpoint.",
                hint="Hand `training` on to the layer instead of a fixed `training=True`. State "
                "that is carried from call to call has to be an input and an output.",
            )
        )
    if others:
        problems.append(
            warning(
                ExitCode.SIGNATURE,
                f"signature {signature} writes {', '.join(others)} at every call: its "
                "outputs may depend on the calls before.",
                hint="Leave counting to training, or name another `method`.",
            )
        )
    return tuple(problems)


def first_writes(restored: Restored) -> tuple[str, ...]:
    """Paths of restored weights that the first call wrote, before they were restored."""
    written = {id(variable) for variable in restored.rebuilt.written}
    state = set(restored.binding.state)
    return tuple(
        v.path
        for v in restored.variables
        if id(v.variable) in written and v.source and v.path not in state
        if v.variable.dtype.is_floating and len(v.variable.shape)
    )


def written_once(paths: Sequence[str]) -> str:
    return f"the model's first call writes {', '.join(paths[:3])}" if paths else ""


def first_write(paths: Sequence[str]) -> Problem:
    return warning(
        ExitCode.SIGNATURE,
        f"{written_once(paths)}. It ran before the checkpoint was restored, and was put "
        "back: what it does once, as merging weights, the artifact does without.",
        hint="Compute it at every call, or save what it makes. If it only gives first values, from "
        "the data of training, declare `verify.golden`.",
        details=tuple(paths),
    )


def _written_names(nodes: Sequence[Any], library: Mapping[str, Any]) -> set[str]:
    """Names of nodes or function arguments, in one body, whose resource is written in it."""
    aliases = {n.name: _source(n.input[0]) for n in nodes if n.op == "Identity" and n.input}
    written: set[str] = set()
    for node in nodes:
        data = [name for name in node.input if not name.startswith("^")]
        if writes_state(node.op) and data:
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

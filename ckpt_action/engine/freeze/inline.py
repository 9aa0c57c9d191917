"""Function calls replaced by what they call, so that readers without functions can follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckpt_action.engine.freeze.internals import inline_calls

_FUNCTIONAL = ("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase")
_KEEP_CALLS = (
    "_noinline", "_XlaMustCompile", "_XlaScope", "_XlaSeparateCompiledGradients", "api_implements",
)  # fmt: skip
"""Markers that keep a call together; they mean nothing to the values it computes."""


def inlined(traced: Any, keep: Iterable[str], *, lower_control_flow: bool) -> Any:
    """A new GraphDef; raises `internals.Unavailable` where this TensorFlow has no Grappler.

    With `lower_control_flow`, loops and branches become Switch, Merge, Enter and Exit; otherwise
    they stay While, If and Case with their functions.
    """
    graph = type(traced)()
    graph.CopyFrom(traced)
    for function in graph.library.function:
        _unmark(function.attr)
    for nodes in [graph.node, *(f.node_def for f in graph.library.function)]:
        for node in nodes:
            _unmark(node.attr)
            if node.op in _FUNCTIONAL and not lower_control_flow:
                node.attr["_lower_using_switch_merge"].b = False
    return inline_calls(graph, keep)


def _unmark(attr: Any) -> None:
    for key in _KEEP_CALLS:
        if key in attr:
            del attr[key]

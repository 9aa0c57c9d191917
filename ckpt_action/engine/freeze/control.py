"""Control edges that order reads of variables, which no longer exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ckpt_action.engine.freeze.graph import producer

_PURE = ("Const", "Identity", "NoOp")


def drop_idle_waits(graph: Any) -> None:
    """Remove control edges from nodes that only hand on a constant or an argument.

    Tracing makes every output wait for every read of a variable. Once these are constants, the
    edges only keep unread weights in the graph. Nodes inside loops and branches of the TF1 form
    are not idle, for what they read comes through Enter or Switch; asserts stay, too.
    """
    _drop(graph.node, ())
    for function in graph.library.function:
        _drop(function.node_def, {argument.name for argument in function.signature.input_arg})


def _drop(nodes: Iterable[Any], arguments: Collection[str]) -> None:
    idle = _idle(list(nodes), arguments)
    for node in nodes:
        kept = [r for r in node.input if not (r.startswith("^") and producer(r) in idle)]
        if len(kept) != len(node.input):
            node.input[:] = kept


def _idle(nodes: list[Any], arguments: Collection[str]) -> set[str]:
    """Nodes that have nothing behind them but constants and arguments."""
    idle = set(arguments)
    candidates = [node for node in nodes if node.op in _PURE]
    while True:
        found = {n.name for n in candidates if all(producer(r) in idle for r in n.input)}
        if found <= idle:
            return idle
        idle |= found

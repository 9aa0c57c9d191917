"""Names of nodes in a message: each once, and not more than a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def some_of(names: Iterable[str], shown: int = 5) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - shown} more" if len(unique) > shown else ""
    return ", ".join(unique[:shown]) + more


def some_ops(ops: Mapping[str, str]) -> str:
    """`ops`: op to a node of it, or to nothing where none is known."""
    return some_of((f"{op} ({layer_of(n)!r})" if n else op for op, n in ops.items()), 8)


def layer_of(node: str) -> str:
    """The path of the layer that made a node; the node's own name where it is in none."""
    return node.rpartition("/")[0] or node

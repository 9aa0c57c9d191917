"""Where the objects of an object graph lie, as a person would call it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ckpt_action.checkpoint.records import ObjectNode


def object_paths(nodes: Sequence[ObjectNode], optimizers: AbstractSet[int]) -> dict[int, str]:
    """The shortest path of each node from the saved object, around `optimizers` where it can."""
    paths: dict[int, str] = {0: ""}
    first, last = deque([0]), deque[tuple[str, int]]()
    while first or last:
        if first:
            node = first.popleft()
        else:
            path, node = last.popleft()
            if node in paths:
                continue
            paths[node] = path
        for name, child in nodes[node].children.items():
            path = f"{paths[node]}/{name}" if paths[node] else name
            if optimizers & {child, node}:
                last.append((path, child))
            elif child not in paths:
                paths[child] = path
                first.append(child)
    return paths

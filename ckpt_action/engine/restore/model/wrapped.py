"""Models around the one that was trained: with tokenizers before it, with decoding behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ckpt_action.engine.objects import raw_variable
from ckpt_action.engine.restore.model.live import Child, is_aside
from ckpt_action.engine.restore.records import LiveModel

_TENSORFLOWS = "_self_"
"""Attributes in which TensorFlow keeps an object's edges a second time."""


def wrapped(model: LiveModel) -> Iterator[tuple[str, Any]]:
    """(place, object), from the outside in: each holds all variables of the model by itself."""
    own = {id(v.variable) for v in model.own()}
    place, item = "", model.root
    seen = [item]
    while True:
        holding: dict[int, Child] = {}
        for child in model.edges.below(item):
            if not child.label.startswith(_TENSORFLOWS) and _below(child.item, own, model):
                holding.setdefault(id(child.item), child)
        if len(holding) != 1:
            return
        (child,) = holding.values()
        item, place = child.item, f"{place}.{child.label}".lstrip(".")
        if raw_variable(item) is not None or any(item is known for known in seen):
            return
        seen.append(item)
        yield place, item


def _below(start: Any, own: set[int], model: LiveModel) -> bool:
    """Whether a variable of the model hangs at or below `start`."""
    seen: dict[int, Any] = {}
    queue = [start]
    while queue:
        item = queue.pop()
        if id(item) in seen or is_aside(item):
            continue
        seen[id(item)] = item
        variable = raw_variable(item)
        if variable is None:
            queue.extend(child.item for child in model.edges.below(item))
        elif id(variable) in own:
            return True
    return False

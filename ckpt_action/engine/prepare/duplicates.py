"""Small constants that say the same, once: axes, shapes and epsilons that every layer brings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ckpt_action.engine.arrays import digest
from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor, value_of

_SMALL = 64
"""Elements. Larger ones are weights, which stay known by their names."""


def merge_constants(graph: Any, keep: tuple[str, ...]) -> Any:
    """Of the main graph."""
    return edited(graph, keep, _merge, functions=False)


def _merge(body: Editor) -> None:
    first: dict[tuple[str, tuple[int, ...], str], Any] = {}
    for node in list(body.nodes.values()):
        if node.op != "Const" or node.input or node.name in body.keep:
            continue
        value = value_of(node)
        if value.size > _SMALL or not (value.ndim == 0 or np.issubdtype(value.dtype, np.integer)):
            continue
        known = first.setdefault((value.dtype.name, value.shape, digest(value)), node)
        if known is not node:
            body.redirect(node, body.output(known))

"""Nodes that hand on what they read: a reader may as well read that itself."""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor

IDENTITIES = ("Identity", "StopGradient", "PreventGradient", "Snapshot")


def skip_identities(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _skip)


def _skip(body: Editor) -> None:
    for node in list(body.nodes.values()):
        waited_for = any(r.input[i].startswith("^") for r, i in body.readers(node))
        plain = node.op in IDENTITIES and len(node.input) == 1
        if plain and not waited_for and node.name not in body.keep:
            body.redirect(node, node.input[0])

"""Erfc, which the exact gelu of Keras 3 is made of, as 1 - Erf, which most readers know."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor


def rewrite_erfc(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _rewrite)


def _rewrite(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op == "Erfc"]:
        kind = type(node.attr["T"])()
        kind.CopyFrom(node.attr["T"])
        one = np.ones((), tf.as_dtype(kind.type).as_numpy_dtype)
        erf = body.add(node, "erf", "Erf", [node.input[0]], T=kind)
        body.become(node, "Sub", [body.add_constant(node, "one", one), erf], T=kind)

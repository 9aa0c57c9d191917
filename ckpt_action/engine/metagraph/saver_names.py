"""Under which names the graph's own Saver stores its variables.

`Saver({"conv1/weights/ExponentialMovingAverage": weights})` stores and restores by names that are
not the variables' own; the graph's save ops tell them. Source: tensorflow/python/training/saver.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.engine.metagraph.prune import VARIABLES

_INPUTS_BEFORE = 3  # prefix, tensor names, shapes and slices


def saver_names(meta: Any) -> Mapping[str, str]:
    """Variable name to the name in the checkpoint, where they differ.

    Parts of partitioned variables are left out; `parts` knows them.
    """
    nodes = {node.name: node for node in meta.graph_def.node}
    scope = meta.saver_def.restore_op_name.rpartition("/")[0]
    found: dict[str, str] = {}
    for node in meta.graph_def.node:
        if node.op == "SaveV2" and scope and node.name.startswith(f"{scope}/"):
            found.update(_stored(node, nodes))
    return found


def _stored(save: Any, nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names, slices = (_texts(nodes.get(_node(save.input[place]))) for place in (1, 2))
    for name, part, tensor in zip(names, slices, save.input[_INPUTS_BEFORE:], strict=False):
        variable = _variable(_node(tensor), nodes)
        if variable and not part and variable != name:
            yield variable, name


def _variable(name: str, nodes: Mapping[str, Any]) -> str:
    """The variable that the chain of reads ending at `name` begins with; empty: none."""
    for _ in range(len(nodes)):
        node = nodes.get(name)
        if node is None or node.op in VARIABLES or not node.input:
            break
        name = _node(node.input[0])
    node = nodes.get(name)
    return name if node is not None and node.op in VARIABLES else ""


def _texts(node: Any) -> list[str]:
    if node is None or node.op != "Const":
        return []
    return [text.decode() for text in tf.make_ndarray(node.attr["value"].tensor).ravel()]


def _node(tensor: str) -> str:
    return tensor.lstrip("^").split(":", 1)[0]

"""What a signature of a TF1 graph needs and is not fed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine.switches import is_phase
from ckpt_action.errors import ExitCode, Problem, warning

_PIPELINES = ("Iterator", "QueueDequeue", "FIFOQueue", "RandomShuffleQueue", "ReaderRead")


def unfed(
    signature: Signature, needed: Mapping[str, Any], nodes: Mapping[str, Any]
) -> Iterator[Problem]:
    for node in needed.values():
        if node.op == "Placeholder":
            yield refusal(
                signature,
                f"its outputs need the placeholder {node.name}:0 ({dtype_of(node).name}).",
                f'Declare it as an input, or fix its value: constants = {{ "{node.name}:0" = … }}',
            )
        elif _says_training(node, nodes):
            yield refusal(
                signature,
                f"{node.name}:0 is fed by nothing and keeps its default, true, which says that the "
                "model is being trained.",
                f'constants = {{ "{node.name}:0" = false }}; with true where it means something '
                "else.",
            )
        elif node.op == "PlaceholderWithDefault":
            yield warning(
                ExitCode.SIGNATURE,
                f"signature {signature.name}: {node.name}:0 is fed by nothing and keeps "
                "its default.",
                hint=f'If it switches training on: constants = {{ "{node.name}:0" = … }}',
            )
        elif node.op.startswith(_PIPELINES):
            yield refusal(
                signature,
                f"its outputs read the input pipeline {node.name} ({node.op}).",
                f'Declare what comes out of it as an input: tensor = "{node.name}:0".',
            )


def _says_training(node: Any, nodes: Mapping[str, Any]) -> bool:
    """A placeholder whose default is a constant true, and whose name is that of such a switch."""
    if node.op != "PlaceholderWithDefault" or not is_phase(node.name.rpartition("/")[2]):
        return False
    default = nodes.get(node_of(node.input[0]))
    if default is None or default.op != "Const" or dtype_of(default) != tf.bool:
        return False
    return bool(tf.make_ndarray(default.attr["value"].tensor).all())


def node_of(tensor: str) -> str:
    return tensor.lstrip("^").split(":", maxsplit=1)[0]


def dtype_of(node: Any) -> Any:
    for attribute in ("dtype", "T"):
        if attribute in node.attr:
            return tf.as_dtype(node.attr[attribute].type)
    return None


def refusal(signature: Signature, message: str, hint: str) -> Problem:
    return Problem(
        code=ExitCode.SIGNATURE, message=f"signature {signature.name}: {message}", hint=hint
    )

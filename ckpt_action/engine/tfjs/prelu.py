"""PReLU, which Keras writes in five nodes, as the one op that TensorFlow.js has for it.

    Relu(x) + (-alpha) * Relu(-x)

Only where alpha has one value per channel: the wasm backend takes it for that.
"""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.prepare.bodies import edited
from ckpt_action.engine.prepare.editor import Editor


def use_prelu(graph: Any, keep: tuple[str, ...]) -> Any:
    return edited(graph, keep, _use, functions=False)


def _use(body: Editor) -> None:
    for node in [n for n in body.nodes.values() if n.op in ("Add", "AddV2")]:
        for positive, negative in (node.input[:2], node.input[1::-1]):
            found = _match(body, positive, negative)
            if found is not None:
                x, factor = found
                kind = type(node.attr["T"]).FromString(node.attr["T"].SerializeToString())
                value = body.constant(factor)
                assert value is not None
                alpha = body.add_constant(node, "alpha", -value)
                body.become(node, "Prelu", [x, alpha], T=kind)
                break


def _match(body: Editor, positive: str, negative: str) -> tuple[str, str] | None:
    """(x, factor) where the two are Relu(x) and factor * Relu(-x)."""
    relu, product = body.producer(positive), body.producer(negative)
    if relu is None or product is None or (relu.op, product.op) != ("Relu", "Mul"):
        return None
    for factor, other in (product.input[:2], product.input[1::-1]):
        value, mirrored = body.constant(factor), body.producer(other)
        if value is None or value.shape[-1:] != (value.size,):
            continue
        minus = body.producer(mirrored.input[0]) if mirrored and mirrored.op == "Relu" else None
        if minus is not None and minus.op == "Neg" and minus.input[0] == relu.input[0]:
            return relu.input[0], factor
    return None

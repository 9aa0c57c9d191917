"""The ops of `fuse` and `prelu` in those of TensorFlow again, which run on every processor."""

from __future__ import annotations

from typing import Any

from ckpt_action.engine.tfjs.fuse import FUSED

_PLAIN = {fused: op for op, fused in FUSED.items()}
_OWN = ("fused_ops", "num_args")


def unfused(graph: Any) -> Any:
    """A new GraphDef that computes the same."""
    made = type(graph)(library=graph.library, versions=graph.versions)
    for node in graph.node:
        if node.op == "Prelu":
            _prelu(made, node.name, node.input[0], node.input[1], node.attr["T"])
        elif node.op in _PLAIN:
            _spread(made, node)
        else:
            made.node.add().CopyFrom(node)
    return made


def _spread(made: Any, node: Any) -> None:
    """The kernel, and one step for each op that was fused with it; the last bears the name."""
    kernel = made.node.add()
    kernel.CopyFrom(node)
    kernel.name, kernel.op = f"{node.name}/kernel", _PLAIN[node.op]
    kernel.input[:] = node.input[:2]
    for key in _OWN:
        del kernel.attr[key]
    ops = [op.decode() for op in node.attr["fused_ops"].list.s]
    arguments, last, kind = iter(node.input[2:]), kernel.name, node.attr["T"]
    for number, op in enumerate(ops, 1):
        name = node.name if number == len(ops) else f"{node.name}/step_{number}"
        if op == "Prelu":
            _prelu(made, name, last, next(arguments), kind)
        else:
            _add(made, name, op, [last, next(arguments)] if op == "BiasAdd" else [last], kind)
        last = name


def _prelu(made: Any, name: str, x: str, alpha: str, kind: Any) -> None:
    _add(made, f"{name}/positive", "Relu", [x], kind)
    _add(made, f"{name}/minus", "Neg", [x], kind)
    _add(made, f"{name}/negative", "Relu", [f"{name}/minus"], kind)
    _add(made, f"{name}/product", "Mul", [alpha, f"{name}/negative"], kind)
    _add(made, name, "Sub", [f"{name}/positive", f"{name}/product"], kind)


def _add(made: Any, name: str, op: str, inputs: list[str], kind: Any) -> None:
    node = made.node.add(name=name, op=op, input=inputs)
    node.attr["T"].CopyFrom(kind)

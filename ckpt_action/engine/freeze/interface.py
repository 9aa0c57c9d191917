"""What a traced signature feeds, fetches and captures, by the names of its own graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ckpt_action.engine.records import TracedSignature


@dataclass(frozen=True, kw_only=True)
class Interface:
    inputs: Mapping[str, Any]
    """Declared name to the graph's symbolic tensor, in the declared order."""
    outputs: Mapping[str, Any]
    """Declared name to the graph's symbolic tensor, in the declared order."""
    captures: Mapping[str, Any]
    """Node that stands for a captured tensor, to that tensor: a value, or a variable's handle."""


def interface(signature: TracedSignature) -> Interface:
    """Read from public attributes of the ConcreteFunction: its captures are its last inputs."""
    function = signature.function
    captured = function.captured_inputs
    split = len(function.inputs) - len(captured)
    fed, inner = function.inputs[:split], function.inputs[split:]
    inputs = {_argument(tensor): tensor for tensor in fed}
    outputs = dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
    record = signature.record
    return Interface(
        inputs={tensor.name: inputs[tensor.name] for tensor in record.inputs},
        outputs={tensor.name: outputs[tensor.name] for tensor in record.outputs},
        captures={t.op.name: value for t, value in zip(inner, captured, strict=True)},
    )


def _argument(tensor: Any) -> str:
    """The argument's name; the node's own name may have been made unique."""
    try:
        name: str = tensor.op.get_attr("_user_specified_name").decode()
    except ValueError:
        name = tensor.op.name
    return name

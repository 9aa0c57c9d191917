"""What a traced signature feeds, fetches and captures, by the names of its own graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ckpt_action.engine.records import ModelVariable, TracedSignature


@dataclass(frozen=True, kw_only=True)
class Interface:
    inputs: Mapping[str, Any]
    """Name to the graph's symbolic tensor."""
    outputs: Mapping[str, Any]
    """Name to the graph's symbolic tensor."""
    captures: Mapping[str, Any]
    """Node that stands for a captured tensor, to that tensor: a value, or a variable's handle."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What captured handles stand for, by their identity."""

    variables: Mapping[int, ModelVariable]
    tables: Mapping[int, Any]
    """Lookup tables that stay in the graph."""


def interface(signature: TracedSignature) -> Interface:
    """What `signature` declares of its function."""
    record, own = signature.record, function_interface(signature.function)
    return Interface(
        inputs={tensor.name: own.inputs[tensor.name] for tensor in record.inputs},
        outputs={tensor.name: own.outputs[tensor.name] for tensor in record.outputs},
        captures=own.captures,
    )


def function_interface(function: Any) -> Interface:
    """All that a function has, in its own order, read from public attributes of the
    ConcreteFunction: its captures are its last inputs."""
    captured = function.captured_inputs
    split = len(function.inputs) - len(captured)
    fed, inner = function.inputs[:split], function.inputs[split:]
    return Interface(
        inputs={_argument(tensor): tensor for tensor in fed},
        outputs=dict(zip(sorted(function.structured_outputs), function.outputs, strict=True)),
        captures={t.op.name: value for t, value in zip(inner, captured, strict=True)},
    )


def _argument(tensor: Any) -> str:
    """The argument's name; the node's own name may have been made unique."""
    try:
        name: str = tensor.op.get_attr("_user_specified_name").decode()
    except ValueError:
        name = tensor.op.name
    return name

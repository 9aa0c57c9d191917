"""What of a TF1 graph looks like inputs and outputs, for people who have not declared them yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import DEFAULT_SIGNATURE
from ckpt_action.errors import CkptActionError, ExitCode, fail

_TRAINING_PARTS = ("gradients", "save", "train", "Adam", "report_uninitialized", "init")
_OUTPUT_OPS = frozenset({"Softmax", "Sigmoid", "ArgMax", "Tanh", "LogSoftmax", "TopKV2"})
_NO_OUTPUTS = (
    "Assert",
    "Assign",
    "Const",
    "Identity",
    "Initialize",
    "LookupTableImport",
    "NoOp",
    "Placeholder",
    "ReadVariable",
    "VarIsInitialized",
    "Variable",
)
"""Beginnings of the names of ops that end a graph without being its result."""

_SHOWN = 20


def undeclared(graph: Any, model_name: str) -> CkptActionError:
    """The error for a `.meta` without declared signatures, with what could be declared."""
    inputs = list(_inputs(graph))
    outputs = list(_outputs(graph))
    first = inputs[0] if inputs else ("x", "float32", '"batch"')
    return fail(
        ExitCode.SIGNATURE,
        f"{model_name}: a TF1 graph does not say which of its tensors are inputs and outputs.",
        hint=f"Declare them in [models.{model_name}.signatures.{DEFAULT_SIGNATURE}]; candidates "
        f"are: inputs {', '.join(f'{i[0]}:0' for i in inputs) or 'none'}; outputs "
        f"{', '.join(outputs) or 'none'}.",
        details=(
            f"[models.{model_name}.signatures.{DEFAULT_SIGNATURE}]",
            _input_table(*first),
            f'outputs = {{ y = "{outputs[0] if outputs else "…:0"}" }}',
            *(f"input {name}:0 {dtype} [{shape}]" for name, dtype, shape in inputs),
            *(f"output {name}" for name in outputs),
        ),
    )


def _input_table(name: str, dtype: str, shape: str) -> str:
    return f'inputs = {{ x = {{ tensor = "{name}:0", dtype = "{dtype}", shape = [{shape}] }} }}'


def _inputs(graph: Any) -> Iterator[tuple[str, str, str]]:
    for node in graph.node:
        if node.op.startswith("Placeholder") and not node.name.startswith(_TRAINING_PARTS):
            shape = tf.TensorShape(node.attr["shape"].shape)
            sizes = [] if shape.rank is None else shape.as_list()
            shown = ", ".join(
                str(size) if size is not None else '"batch"' if axis == 0 else f'"dim_{axis}"'
                for axis, size in enumerate(sizes)
            )
            yield node.name, tf.as_dtype(node.attr["dtype"].type).name, shown


def _outputs(graph: Any) -> list[str]:
    """Ends of the forward part of the graph, and what usually is an end, the last first."""
    forward = [node for node in graph.node if not node.name.startswith(_TRAINING_PARTS)]
    consumed = {
        name.lstrip("^").split(":", maxsplit=1)[0] for node in forward for name in node.input
    }
    found = [
        f"{node.name}:0"
        for node in forward
        if node.input
        and (node.op in _OUTPUT_OPS or node.name not in consumed)
        and not node.op.startswith(_NO_OUTPUTS)
        and "Summary" not in node.op
    ]
    return found[::-1][:_SHOWN]

"""What TFLite cannot hold, named for a person: the op, and the layer that brought it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ckpt_action.engine.freeze.graph import reachable_functions
from ckpt_action.engine.records import TracedModel, TracedSignature
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail

_LOOPS = {"While", "StatelessWhile"}
_LISTS = {"TensorListReserve", "TensorListFromTensor", "EmptyTensorList"}
_NAMED_OP = re.compile(r"'tf\.(\w+)' op")
_PLACE = re.compile(r'fused\["(\w+):", "([^"@]+)')
"""The innermost place comes first in a line."""
_DETAIL = re.compile(r"\s+tf\.\w+\(")
"""An op with its types, as the converter lists them at the end."""
_SHOWN = 8
_VARIABLES = {"VarHandleOp", "AssignVariableOp", "ReadVariableOp"}
"""Left over, and named too, where an op works on the variable itself."""


def refuse_crashes(model: TracedModel) -> None:
    """Loops that are to be quantised to int8, which kills the converter's process."""
    problems = [problem for s in model.signatures for problem in _loop_problems(s)]
    if problems:
        raise CkptActionError(*problems)


def _loop_problems(signature: TracedSignature) -> Iterator[Problem]:
    loops = [name for op, name in _nodes(signature) if op in _LOOPS]
    if loops:
        yield Problem(
            code=ExitCode.TARGET,
            message=f"The loop of {_layer(loops[0])!r} (signature {signature.declared.name!r}) "
            "cannot be quantised to int8: TensorFlow's converter crashes on it.",
            hint='Build the layer with `unroll=True`, or use `quantize = "dynamic-range"`.',
        )


def _nodes(signature: TracedSignature) -> Iterator[tuple[str, str]]:
    """(op, name) of every node that the signature reaches."""
    graph = signature.function.graph.as_graph_def()
    functions = {f.signature.name: f for f in graph.library.function}
    called = reachable_functions(graph.node, functions)
    for nodes in (graph.node, *(functions[name].node_def for name in called)):
        for node in nodes:
            yield node.op, node.name


def refused(error: Exception, model: TracedModel, *, select_tf_ops: bool) -> CkptActionError:
    """What the converter raised, as a refusal that names the ops and their layers."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    ops = {op: node for op, node in _ops(lines) if op not in _VARIABLES}
    if _LISTS & ops.keys() and (free := list(_free_batches(model))):
        layer = _layer(next(ops[op] for op in ops if op in _LISTS))
        return fail(
            ExitCode.TARGET,
            f"The recurrent layer {layer!r} needs a batch of fixed size in TFLite, and the "
            f"signature leaves it free: {', '.join(free)}.",
            hint="Declare a number in its place, as in `shape = [1, …]`; other dimensions may stay "
            "free. A second model table with the same checkpoint can keep the free batch for "
            "other targets.",
        )
    if not ops:
        return fail(
            ExitCode.TARGET,
            "TensorFlow's converter cannot write this model as TFLite: "
            f"{lines[0] if lines else type(error).__name__}",
            details=lines,
        )
    shown = [f"{op} ({_layer(node)!r})" if node else op for op, node in ops.items()]
    more = f" and {len(ops) - _SHOWN} more" if len(ops) > _SHOWN else ""
    details = [line.strip() for line in lines if _DETAIL.match(line)]
    hint = "Leave that part out of the exported method, or export the model as `onnx`."
    if any("xf64>" in line for line in details):
        hint = "TFLite computes in float32: build the model so. " + hint
    if not select_tf_ops:
        hint += (
            " `select-tf-ops = true` keeps TensorFlow's own kernels for them, which takes an "
            "application that is built with these."
        )
    return fail(
        ExitCode.TARGET,
        "This model cannot be written as TFLite, which has no kernel for what it computes here: "
        f"{', '.join(shown[:_SHOWN])}{more}.",
        hint=hint,
        details=details,
    )


def _ops(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(op, node that brought it) of what the converter calls an error."""
    for line in lines:
        if "error: " not in line:
            continue
        places = _PLACE.findall(line)
        if named := _NAMED_OP.search(line):
            yield named[1], dict(reversed(places)).get(named[1], "")
        elif places:
            yield places[0]


def _free_batches(model: TracedModel) -> Iterator[str]:
    for signature in model.signatures:
        for tensor in signature.record.inputs:
            if tensor.shape and not isinstance(tensor.shape[0], int):
                sizes = ", ".join(str(size or "?") for size in tensor.shape)
                yield f"`{tensor.name}` of shape [{sizes}]"


def _layer(node: str) -> str:
    """The path of the layer that made a node; the node's own name where it is in none."""
    return node.rpartition("/")[0] or node

"""What TFLite cannot hold, named for a person: the op, and the layer that brought it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ckpt_action.engine.freeze.graph import reached_nodes
from ckpt_action.engine.records import TracedModel, TracedSignature
from ckpt_action.engine.some_of import layer_of, some_ops
from ckpt_action.errors import (
    CkptActionError,
    CompleteRefusalError,
    ExitCode,
    Problem,
    fail,
    first_line,
)

_LOOPS = {"While", "StatelessWhile"}
_LISTS = {"TensorListReserve", "TensorListFromTensor", "EmptyTensorList"}
_NAMED_OP = re.compile(r"'tf\.(\w+)' op")
_PLACE = re.compile(r'fused\["(\w+):", "([^"@]+)')
"""The innermost place comes first in a line."""
_DETAIL = re.compile(r"\s+tf\.\w+\(")
"""An op with its types, as the converter lists them at the end."""
_HALF = re.compile(r"x?b?f16>")
_VARIABLES = {"VarHandleOp", "AssignVariableOp", "ReadVariableOp"}
"""Left over, and named too, where an op works on the variable itself."""


def refuse_crashes(model: TracedModel) -> None:
    """What kills the converter's process where it is to be quantised to int8."""
    problems = [p for s in model.signatures for p in (*_loop_problems(s), *_text_problems(s))]
    if problems:
        raise CkptActionError(*problems)


def _loop_problems(signature: TracedSignature) -> Iterator[Problem]:
    loops = [name for op, name in _nodes(signature) if op in _LOOPS]
    if loops:
        yield Problem(
            code=ExitCode.TARGET,
            message=f"The loop of {layer_of(loops[0])!r} (signature {signature.declared.name!r}) "
            "cannot be quantised to int8: TensorFlow's converter crashes on it.",
            hint='Build the layer with `unroll=True`, or use `quantize = "dynamic-range"`.',
        )


def _text_problems(signature: TracedSignature) -> Iterator[Problem]:
    texts = [f"`{t.name}`" for t in signature.record.inputs if t.dtype == "string"]
    if texts:
        yield Problem(
            code=ExitCode.TARGET,
            message=f"The input {', '.join(texts)} (signature {signature.declared.name!r}) is "
            "text: TensorFlow's converter crashes on that where it measures the ranges for int8.",
            hint="Look the words up outside of the model, so that it takes numbers, or use "
            '`quantize = "dynamic-range"`.',
        )


def _nodes(signature: TracedSignature) -> Iterator[tuple[str, str]]:
    """(op, name) of every node that the signature reaches."""
    for node in reached_nodes(signature.function.graph.as_graph_def()):
        yield node.op, node.name


def refused(error: Exception, model: TracedModel, *, select_tf_ops: bool) -> CkptActionError:
    """What the converter raised, as a refusal that names the ops and their layers."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    ops = {op: node for op, node in _ops(lines) if op not in _VARIABLES}
    if _LISTS & ops.keys() and (free := list(_free_batches(model))):
        layer = layer_of(next(ops[op] for op in ops if op in _LISTS))
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
            f"TensorFlow's converter cannot write this model as TFLite: {first_line(error)}",
            details=lines,
        )
    typed = [line for line in lines if _DETAIL.match(line)]
    return CompleteRefusalError(
        Problem(
            code=ExitCode.TARGET,
            message="This model cannot be written as TFLite, which has no kernel for what it "
            f"computes here: {some_ops(ops)}.",
            hint=_advice(ops, typed, select_tf_ops=select_tf_ops),
        )
    )


def _advice(ops: Iterable[str], typed: Sequence[str], *, select_tf_ops: bool) -> str:
    """`typed`: the ops with the types of what they take and give."""
    if typed and all(_HALF.search(line) for line in typed):
        return (
            "TFLite computes in float32, and these in 16 bits, as a policy of mixed precision lets "
            "them. Build the model with the dtype policy `float32`; checkpoints of mixed precision "
            "hold float32 anyway."
        )
    text = any("!tf_type.string" in line for line in typed)
    other = "saved-model" if text or not _onnx_has(ops) else "onnx"
    hint = f"Leave that part out of the exported method, or export the model as `{other}`."
    if any("xf64>" in line for line in typed):
        hint = "TFLite computes in float32: build the model so. " + hint
    if not select_tf_ops:
        hint += (
            " `select-tf-ops = true` keeps TensorFlow's own kernels for them, which takes an "
            "application that is built with these."
        )
    return hint


def _onnx_has(ops: Iterable[str]) -> bool:
    """Only where that can be asked."""
    try:
        from ckpt_action.engine.onnx_graph.convert import rules
    except ImportError:
        return False
    return rules().keys() >= {*ops}


def _ops(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(op, node that brought it) of what the converter calls an error."""
    for line in lines:
        if "error: " not in line:
            continue
        places = _PLACE.findall(line)
        if named := _NAMED_OP.search(line):
            yield named[1], _in_layer(dict(reversed(places)).get(named[1], ""), places)
        elif places:
            yield places[0][0], _in_layer(places[0][1], places)


def _in_layer(node: str, places: Iterable[tuple[str, str]]) -> str:
    """`node`, or the call that brought it where its own function has no layers."""
    around = (outer for _, outer in places if "/" in outer)
    return node if "/" in node or not node else next(around, node)


def _free_batches(model: TracedModel) -> Iterator[str]:
    for signature in model.signatures:
        for tensor in signature.record.inputs:
            if tensor.shape and not isinstance(tensor.shape[0], int):
                sizes = ", ".join(str(size or "?") for size in tensor.shape)
                yield f"`{tensor.name}` of shape [{sizes}]"

"""One fresh function per signature, over raw variables, with the declared names and dtypes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from typing import Any

import tensorflow as tf

from ckpt_action.config.records import Signature
from ckpt_action.engine.metagraph.module import own_control_dependencies
from ckpt_action.engine.rebuild.initial import Initial
from ckpt_action.engine.rebuild.user_code import describe_error
from ckpt_action.engine.records import Rebuilt, Restored, TracedModel, TracedSignature
from ckpt_action.engine.trace.captures import Captures, find_captures
from ckpt_action.engine.trace.copied import copied_values, unread_variables, unread_warning
from ckpt_action.engine.trace.free_dimensions import output_shapes
from ckpt_action.engine.trace.outputs import named_outputs
from ckpt_action.engine.trace.retrace import same_trace
from ckpt_action.engine.trace.unchanged import values_stay
from ckpt_action.engine.trace.written import training_writes
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord


def trace(restored: Restored, name: str, initial: Initial | None = None) -> TracedModel:
    """Every signature of `restored` as a concrete function; `name` becomes the model's name.

    `initial` tells the values that the variables had before they were restored. Raises
    CkptActionError (SIGNATURE) with the problems of all signatures.
    """
    with values_stay(restored):
        return _trace(restored, name, initial or {})


def _trace(restored: Restored, name: str, initial: Initial) -> TracedModel:
    traced: list[TracedSignature] = []
    captures: list[Captures] = []
    problems: list[Problem] = []
    with _counted_uuids():
        for signature in restored.rebuilt.signatures:
            try:
                one = _trace_signature(restored, signature)
                captures.append(find_captures(restored, signature.name, one.function.graph))
                problems += training_writes(restored, signature.name, one.function.graph)
                traced.append(one)
            except CkptActionError as error:
                problems += error.problems
    _raise_errors(problems)
    read = frozenset(id(v.variable) for found in captures for v in found.variables)
    unread = unread_variables(restored, read)
    for one in traced:
        graph = one.function.graph
        problems += copied_values(restored, one.record.name, graph, unread, initial)
    _raise_errors(problems)
    problems += [p for found in captures for p in found.problems]
    problems += unread_warning(unread)
    problems += [p for one in traced for p in _half_precision(one.record)]
    resources = {id(r): r for found in captures for r in found.resources}
    return TracedModel(
        name=name,
        signatures=tuple(_traced_again(restored, one) for one in traced),
        variables=tuple(v for v in restored.variables if id(v.variable) in read),
        resources=tuple(resources.values()),
        op_libraries=restored.rebuilt.op_libraries,
        problems=tuple(problems),
    )


def _raise_errors(problems: Sequence[Problem]) -> None:
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise CkptActionError(*problems)


def _traced_again(restored: Restored, one: TracedSignature) -> TracedSignature:
    """With a second trace where that is another graph: numbers may have been drawn in Python."""
    if restored.rebuilt.family == "graph":
        return one  # no code runs while it is traced
    with _counted_uuids():
        again = _function(restored, one.declared)
    return one if same_trace(one.function, again) else replace(one, again=again)


def _trace_signature(restored: Restored, signature: Signature) -> TracedSignature:
    concrete = _function(restored, signature)
    return TracedSignature(
        declared=signature, function=concrete, record=_record(signature, concrete)
    )


def _function(restored: Restored, signature: Signature) -> Any:
    specs = {
        spec.name: tf.TensorSpec(
            [d if isinstance(d, int) else None for d in spec.shape], spec.dtype, name=spec.name
        )
        for spec in signature.inputs
    }
    try:
        return _concrete_function(restored.rebuilt, signature, specs)
    except CkptActionError:
        raise
    except Exception as error:
        raise _cannot_trace(restored, signature, error) from error


def _concrete_function(rebuilt: Rebuilt, signature: Signature, specs: Mapping[str, Any]) -> Any:
    """A function traced for nothing but `specs`: a `tf.function` that was called before would
    answer with an older, more general trace."""
    caller = rebuilt.callers[signature.name]

    def serve(**inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        named = named_outputs(signature, caller(inputs), rebuilt.model)
        return {name: tf.identity(tensor) for name, tensor in named.items()}

    with own_control_dependencies() if rebuilt.family == "graph" else nullcontext():
        return tf.function(serve, autograph=False).get_concrete_function(**specs)


@contextmanager
def _counted_uuids() -> Iterator[None]:
    """Keras 2 gives the functions of recurrent layers random names; here they are counted.

    Over the whole model: functions of one name are taken for variants of each other.
    """
    counter, original = count(1), uuid.uuid4
    uuid.uuid4 = lambda: uuid.UUID(int=next(counter))
    try:
        yield
    finally:
        uuid.uuid4 = original


def _record(signature: Signature, concrete: Any) -> SignatureRecord:
    outputs = concrete.structured_outputs
    names = [o.name for o in signature.outputs] or list(outputs)
    shapes = output_shapes(signature, concrete.graph, [outputs[name] for name in names])
    return SignatureRecord(
        name=signature.name,
        inputs=tuple(
            TensorRecord(name=spec.name, dtype=spec.dtype, shape=spec.shape)
            for spec in signature.inputs
        ),
        outputs=tuple(
            TensorRecord(name=name, dtype=outputs[name].dtype.name, shape=shape)
            for name, shape in zip(names, shapes, strict=True)
        ),
    )


def _half_precision(record: SignatureRecord) -> Sequence[Problem]:
    half = [o.name for o in record.outputs if o.dtype in ("float16", "bfloat16")]
    if not half:
        return ()
    return (
        Problem(
            code=ExitCode.SIGNATURE,
            severity=Severity.NOTE,
            message=f"signature {record.name}: {', '.join(half)} comes out in half precision, as "
            "the model's dtype policy makes it.",
            hint='Give the last layer dtype="float32" where consumers cannot read float16.',
        ),
    )


def _cannot_trace(restored: Restored, signature: Signature, error: Exception) -> CkptActionError:
    text, where, details = describe_error(error, restored.rebuilt.sources)
    shown = ", ".join(
        f"{spec.name}: {spec.dtype}[{', '.join(map(str, spec.shape))}]" for spec in signature.inputs
    )
    if restored.rebuilt.family == "graph":
        return fail(
            ExitCode.SIGNATURE,
            f"signature {signature.name}: the graph cannot be cut as declared: {text}",
            hint="Check shapes and dtypes of the declared inputs and constants.",
        )
    hint = "The method runs eagerly but not as a graph: use TensorFlow ops on its tensors."
    if "NoneType" in text or "None values" in text or "unknown" in text.lower():
        hint = (
            "It needs a size that is declared free: declare a number, or read it with "
            "`tf.shape(x)` instead of `x.shape`."
        )
    return fail(
        ExitCode.SIGNATURE,
        f"signature {signature.name}: `{signature.method}` cannot be traced with {shown}: {text}",
        hint=hint,
        where=where,
        details=details,
    )

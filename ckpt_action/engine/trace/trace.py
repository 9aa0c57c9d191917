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
from ckpt_action.engine.rebuild.user_code import describe_error
from ckpt_action.engine.records import (
    OtherTrace,
    Rebuilt,
    Restored,
    TracedModel,
    TracedSignature,
    Twin,
)
from ckpt_action.engine.trace.captures import Captures, find_captures
from ckpt_action.engine.trace.free_dimensions import output_shapes
from ckpt_action.engine.trace.outputs import named_outputs
from ckpt_action.engine.trace.outside import outside_problems
from ckpt_action.engine.trace.retrace import difference
from ckpt_action.engine.trace.twin import in_words, untwinned
from ckpt_action.engine.trace.unchanged import values_stay
from ckpt_action.engine.trace.unread import unread_variables
from ckpt_action.engine.trace.written import training_writes
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, fail
from ckpt_action.outcome import SignatureRecord, TensorRecord


def trace(restored: Restored, name: str, twin: Twin | str) -> TracedModel:
    """Every signature of `restored` as a concrete function; `name` becomes the model's name.

    `twin` is compared with it, or says why there is none. Raises CkptActionError (SIGNATURE) with
    the problems of all signatures.
    """
    with values_stay(restored):
        return _trace(restored, name, twin)


def _trace(restored: Restored, name: str, twin: Twin | str) -> TracedModel:
    traced: list[TracedSignature] = []
    captures: list[Captures] = []
    problems: list[Problem] = []
    with _counted_uuids():
        for signature in restored.rebuilt.signatures:
            try:
                one = _trace_signature(restored.rebuilt, signature)
                captures.append(find_captures(restored, signature.name, one.function.graph))
                problems += outside_problems(signature.name, one.function)
                problems += training_writes(restored, signature.name, one.function.graph)
                traced.append(one)
            except CkptActionError as error:
                problems += error.problems
    _raise_errors(problems)
    read = frozenset(id(v.variable) for found in captures for v in found.variables)
    problems += unread_variables(restored, read)
    _raise_errors(problems)
    if isinstance(twin, str) and restored.rebuilt.family != "graph":
        problems.append(untwinned(twin))
    problems += [p for one in traced for p in _half_precision(one.record)]
    resources = {id(r): r for found in captures for r in found.resources}
    return TracedModel(
        name=name,
        signatures=_compared(restored.rebuilt, traced, twin),
        variables=tuple(v for v in restored.variables if id(v.variable) in read),
        resources=tuple(resources.values()),
        op_libraries=restored.rebuilt.op_libraries,
        untwinned=twin if isinstance(twin, str) else "",
        problems=tuple(problems),
    )


def _raise_errors(problems: Sequence[Problem]) -> None:
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise CkptActionError(*problems)


def _compared(
    rebuilt: Rebuilt, traced: Sequence[TracedSignature], twin: Twin | str
) -> tuple[TracedSignature, ...]:
    """With a second trace where that is another graph: numbers may have been drawn in Python; and
    with that of the twin where that is: the model may compute with what was never restored."""
    if rebuilt.family == "graph":
        return tuple(traced)  # no code runs while it is traced
    compared = []
    with _counted_uuids():
        for one in traced:
            again = _function(rebuilt, one.declared)
            same = difference(one.function, again) is None
            compared.append(one if same else replace(one, again=again))
    if isinstance(twin, str):
        return tuple(compared)
    with _counted_uuids():
        return tuple(_beside_twin(rebuilt, one, twin) for one in compared)


def _beside_twin(rebuilt: Rebuilt, one: TracedSignature, twin: Twin) -> TracedSignature:
    function = _function(twin.rebuilt, one.declared)
    found = difference(one.function, function, twin.same)
    if found is None:
        return one
    other = OtherTrace(function=function, difference=in_words(found, rebuilt.model))
    return replace(one, twin=other)


def _trace_signature(rebuilt: Rebuilt, signature: Signature) -> TracedSignature:
    concrete = _function(rebuilt, signature)
    return TracedSignature(
        declared=signature, function=concrete, record=_record(signature, concrete)
    )


def _function(rebuilt: Rebuilt, signature: Signature) -> Any:
    specs = {
        spec.name: tf.TensorSpec(
            [d if isinstance(d, int) else None for d in spec.shape], spec.dtype, name=spec.name
        )
        for spec in signature.inputs
    }
    try:
        return _concrete_function(rebuilt, signature, specs)
    except CkptActionError:
        raise
    except Exception as error:
        raise _cannot_trace(rebuilt, signature, error) from error


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


def _cannot_trace(rebuilt: Rebuilt, signature: Signature, error: Exception) -> CkptActionError:
    text, where, details = describe_error(error, rebuilt.sources)
    shown = ", ".join(
        f"{spec.name}: {spec.dtype}[{', '.join(map(str, spec.shape))}]" for spec in signature.inputs
    )
    if rebuilt.family == "graph":
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

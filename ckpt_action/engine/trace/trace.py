"""One fresh function per signature, over raw variables, with the declared names and dtypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ckpt_action.config.records import Signature
from ckpt_action.engine.rebuild.build import state_kept
from ckpt_action.engine.records import (
    OtherTrace,
    Rebuilt,
    Restored,
    TracedModel,
    TracedSignature,
    Twin,
)
from ckpt_action.engine.trace.another_time import another_time, reads_date
from ckpt_action.engine.trace.another_time import in_words as in_words_of_dates
from ckpt_action.engine.trace.captures import Captures, find_captures
from ckpt_action.engine.trace.concrete import concrete_function
from ckpt_action.engine.trace.free_dimensions import output_shapes
from ckpt_action.engine.trace.kept_state import changed, changes_state, plain_state
from ckpt_action.engine.trace.kept_state import in_words as in_words_of_state
from ckpt_action.engine.trace.only_keras import only_keras
from ckpt_action.engine.trace.outputs import named_outputs
from ckpt_action.engine.trace.outside import outside
from ckpt_action.engine.trace.retrace import difference
from ckpt_action.engine.trace.set_order import in_words as in_words_of_sets
from ckpt_action.engine.trace.set_order import places_of_sets, set_order
from ckpt_action.engine.trace.statistics import beside_statistics
from ckpt_action.engine.trace.twin import handed_on, in_words, shares, untwinned
from ckpt_action.engine.trace.unchanged import values_stay
from ckpt_action.engine.trace.unread import unread_variables
from ckpt_action.engine.trace.written import (
    first_write,
    first_writes,
    training_writes,
    written_once,
)
from ckpt_action.errors import CkptActionError, ExitCode, Problem, note, raise_errors
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
    for signature in restored.rebuilt.signatures:
        try:
            one, found = _trace_signature(restored, signature)
            captures.append(found)
            told, noise = outside(signature.name, one.function)
            problems += told
            problems += training_writes(restored, signature.name, one.function.graph)
            traced.append(replace(one, noise=noise))
        except CkptActionError as error:
            problems += error.problems
    raise_errors(problems)
    read = frozenset(id(v.variable) for found in captures for v in found.variables)
    problems += unread_variables(restored, read)
    raise_errors(problems)
    traced = beside_statistics(restored, traced)
    shared = "" if isinstance(twin, str) else handed_on(twin.leftovers)
    if isinstance(twin, str) and restored.rebuilt.family != "graph":
        problems.append(untwinned(twin))
    if shared:
        problems.append(shares(shared))
    once = first_writes(restored)
    if once:
        problems.append(first_write(once))
    texts = any(i.dtype == "string" for one in traced for i in one.record.inputs)
    looks_up = texts or any(found.resources for found in captures)
    sets = places_of_sets(restored.rebuilt.sources) if looks_up else ()
    if sets:
        problems.append(set_order(sets))
    problems += [p for one in traced for p in _half_precision(one.record)]
    resources = {id(r): r for found in captures for r in found.resources}
    compared = _compared(restored.rebuilt, traced, twin)
    changes = tuple(dict.fromkeys(name for one in compared for name in one.changes))
    dates = tuple(dict.fromkeys(place for one in compared for place in one.dates))
    problems += [changes_state(changes)] if changes else []
    problems += [reads_date(dates)] if dates else []
    return TracedModel(
        name=name,
        signatures=compared,
        variables=tuple(v for v in restored.variables if id(v.variable) in read),
        resources=tuple(resources.values()),
        op_libraries=restored.rebuilt.op_libraries,
        untwinned=twin
        if isinstance(twin, str)
        else shared
        or written_once(once)
        or in_words_of_sets(sets)
        or in_words_of_state(changes)
        or in_words_of_dates(dates),
        problems=tuple(problems),
    )


def _compared(
    rebuilt: Rebuilt, traced: Sequence[TracedSignature], twin: Twin | str
) -> tuple[TracedSignature, ...]:
    """With a second trace where that is another graph: numbers may have been drawn in Python; and
    with that of the twin where that is: the model may compute with what was never restored.

    What is drawn makes the twin's graph another one too. What counts its calls does not, for the
    twin is called as often. So where all code is Keras' and the twin's graph is equal, the model is
    not traced again.
    """
    if rebuilt.family == "graph":
        return tuple(traced)  # no code runs while it is traced
    if isinstance(twin, str):
        return tuple(_traced_again(rebuilt, one) for one in traced)
    beside = [_beside_twin(rebuilt, one, twin) for one in traced]
    return tuple(
        one if one.keras_alone and one.twin is None else _traced_again(rebuilt, one)
        for one in beside
    )


def _traced_again(rebuilt: Rebuilt, one: TracedSignature) -> TracedSignature:
    """At another time of day, and with a look at what Python keeps from one call to the next."""
    with another_time(rebuilt.sources) as dates:
        again = concrete_function(rebuilt, one.declared)
    changes = changed(one.kept, plain_state(rebuilt.held, rebuilt.sources))
    one = replace(one, changes=changes, dates=tuple(dates))
    return one if difference(one.function, again) is None else replace(one, again=again)


def _beside_twin(rebuilt: Rebuilt, one: TracedSignature, twin: Twin) -> TracedSignature:
    function = concrete_function(twin.rebuilt, one.declared)
    found = difference(one.function, function, twin.same)
    if found is None:
        return one
    other = OtherTrace(function=function, difference=in_words(found, rebuilt.model))
    return replace(one, twin=other)


def _trace_signature(restored: Restored, signature: Signature) -> tuple[TracedSignature, Captures]:
    rebuilt = restored.rebuilt
    concrete = concrete_function(rebuilt, signature)
    found = find_captures(restored, signature.name, concrete.graph)
    keras_alone = rebuilt.family != "graph" and only_keras(rebuilt.held)
    one = TracedSignature(
        declared=signature,
        function=concrete,
        record=_record(signature, concrete),
        variables=found.variables,
        eager=None if rebuilt.family == "graph" else partial(_called, rebuilt, signature),
        sources=rebuilt.sources,
        keras_alone=keras_alone,
        kept={} if keras_alone else plain_state(rebuilt.held, rebuilt.sources),
    )
    return one, found


def _called(rebuilt: Rebuilt, signature: Signature, inputs: Mapping[str, Any]) -> Any:
    with state_kept(rebuilt.model):
        return named_outputs(signature, rebuilt.callers[signature.name](inputs), rebuilt.model)


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
        note(
            ExitCode.SIGNATURE,
            f"signature {record.name}: {', '.join(half)} comes out in half precision, as "
            "the model's dtype policy makes it.",
            hint='Give the last layer dtype="float32" where consumers cannot read float16.',
        ),
    )

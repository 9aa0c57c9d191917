"""Small models that together use everything a target has to carry, as hand-made TracedModels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.config.records import InputSpec, OutputSpec, Signature
from ckpt_action.engine.records import ModelVariable, TracedModel, TracedSignature
from ckpt_action.engine.trace.free_dimensions import output_shapes
from ckpt_action.outcome import SignatureRecord, TensorRecord

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A traced model, inputs that move its outputs, and what keeps it alive."""

    model: TracedModel
    inputs: Mapping[str, Arrays]
    keep: Any

    def live(self, signature: str) -> dict[str, np.ndarray]:
        traced = next(s for s in self.model.signatures if s.declared.name == signature)
        feeds = {name: tf.constant(value) for name, value in self.inputs[signature].items()}
        return {name: t.numpy() for name, t in traced.function(**feeds).items()}


def spec(name: str, dtype: str, *shape: int | str) -> InputSpec:
    return InputSpec(name=name, dtype=dtype, shape=shape)


def traced(
    call: Callable[..., Mapping[str, Any]], *inputs: InputSpec, name: str = "serving_default"
) -> TracedSignature:
    """`call` takes the inputs by name and returns named tensors."""
    specs = {
        i.name: tf.TensorSpec([d if isinstance(d, int) else None for d in i.shape], i.dtype, i.name)
        for i in inputs
    }

    def serve(**arguments: tf.Tensor) -> Mapping[str, Any]:  # as `trace` makes them
        return call(**arguments)

    function = tf.function(serve).get_concrete_function(**specs)
    found = function.structured_outputs
    declared = Signature(
        name=name, inputs=inputs, outputs=tuple(OutputSpec(name=output) for output in found)
    )
    shapes = output_shapes(declared, function.graph, list(found.values()))
    return TracedSignature(
        declared=declared,
        function=function,
        record=SignatureRecord(
            name=name,
            inputs=tuple(TensorRecord(name=i.name, dtype=i.dtype, shape=i.shape) for i in inputs),
            outputs=tuple(
                TensorRecord(name=output, dtype=t.dtype.name, shape=shape)
                for (output, t), shape in zip(found.items(), shapes, strict=True)
            ),
        ),
        variables=tuple(ModelVariable(path=v.name, variable=v) for v in function.variables),
    )


def variables_of(owner: Any) -> tuple[ModelVariable, ...]:
    """Raw variables of a Keras model (of either Keras) or a tf.Module, by readable paths."""
    found = owner.weights if hasattr(owner, "weights") else owner.variables
    return tuple(
        ModelVariable(
            path=getattr(variable, "path", variable.name.split(":")[0]),
            variable=variable if isinstance(variable, tf.Variable) else variable.value,
        )
        for variable in found
    )


def traced_model(
    owner: Any, *signatures: TracedSignature, name: str = "tiny", resources: tuple[Any, ...] = ()
) -> TracedModel:
    """Only the variables that a signature reads, as `trace` gives them."""
    read = {id(t) for s in signatures for t in s.function.captured_inputs}
    variables = tuple(v for v in variables_of(owner) if id(v.variable.handle) in read)
    return TracedModel(name=name, signatures=signatures, variables=variables, resources=resources)


def assert_equal(outputs: Arrays, reference: Arrays, *, exactly: bool = False) -> None:
    """Same names, dtypes and shapes; floats within rounding, all else exactly."""
    assert set(outputs) == set(reference)
    for name, wanted in reference.items():
        value = np.asarray(outputs[name])
        assert value.shape == wanted.shape
        assert value.dtype == wanted.dtype
        if exactly or wanted.dtype.kind not in "fc":
            assert np.array_equal(value, wanted), name
            continue
        assert np.isfinite(wanted).all()
        scale = max(float(np.abs(wanted).max(initial=0)), 1e-3)
        assert np.abs(value - wanted).max(initial=0) <= 2e-5 * scale, name

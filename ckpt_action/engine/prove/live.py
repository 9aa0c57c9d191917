"""The live restored model as the reference: its outputs, and whether they can prove anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.probes import Probe
from ckpt_action.engine.records import ModelVariable, TracedModel, TracedSignature
from ckpt_action.engine.trace.op_kinds import draws, writes_state
from ckpt_action.verify import compare


class LiveSignature:
    """One signature of the traced model, called so that no call leaves a trace.

    Where the graph writes variables (a stateful RNN, a random seed), they get their values from
    before the first call back after every call.
    """

    def __init__(self, traced: TracedSignature) -> None:
        self.record = traced.record
        self.twin = traced.twin
        self._traced = traced
        self._function = traced.function
        operations = _operations(traced.function)
        self.random = any(draws(name) for name in operations)
        """Whether any operation draws random numbers."""
        stateful = any(writes_state(name) for name in operations)
        self._state = [(v, v.numpy()) for v in traced.function.variables] if stateful else []

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; raises tf.errors.OpError where the model refuses the inputs."""
        try:
            return self._call(inputs)
        finally:
            self._reset()

    def repeats(self, inputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
        """Whether another call gives the same bytes as `reference`, the outputs of the first.

        Random numbers would repeat if their seeds were put back, as Keras 3 keeps them in integer
        variables. So a model that draws is called again with its integer state as the last call
        left it, and often enough that equal draws are not luck.
        """
        if not self.random:
            return _same(self.run(inputs), reference)
        try:
            for _ in range(8):
                if not _same(self._call(inputs), reference):
                    return False
                self._reset(but=("i", "u"))
        finally:
            self._reset()
        return True

    def retraces(self, probes: Iterable[Probe]) -> bool:
        """Whether the second trace of the model's code gives the same bytes."""
        return self._traced.again is None or self._agrees(self._traced.again, probes, _same)

    def like_twin(self, probes: Iterable[Probe]) -> bool:
        """Whether the twin computes the same; operations in another order may round otherwise."""
        return self.twin is None or self._agrees(self.twin.function, probes, _close)

    def _agrees(
        self,
        function: Any,
        probes: Iterable[Probe],
        agree: Callable[[Mapping[str, Array], Mapping[str, Array]], bool],
    ) -> bool:
        other = LiveSignature(replace(self._traced, function=function, again=None, twin=None))
        try:
            return all(agree(other.run(p.inputs), p.reference) for p in probes)
        except tf.errors.ResourceExhaustedError:
            raise
        except (tf.errors.OpError, ValueError):
            return False

    def reads(self, variable: ModelVariable) -> bool:
        return any(v is variable.variable for v in self._function.variables)

    def _call(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        dtypes = {t.name: t.dtype for t in self.record.inputs}
        fed = {name: tf.constant(value, dtypes[name]) for name, value in inputs.items()}
        return {name: to_array(value) for name, value in self._function(**fed).items()}

    def _reset(self, but: tuple[str, ...] = ()) -> None:
        for variable, value in self._state:
            if np.asarray(value).dtype.kind not in but:
                variable.assign(value)


def to_array(tensor: Any) -> Array:
    """A tensor as numpy; a scalar string, which TensorFlow returns as bytes, as an array too."""
    value = tensor.numpy()
    return np.asarray(value, dtype=object if isinstance(value, bytes) else None)


def unmoved(
    live: LiveSignature,
    model: TracedModel,
    inputs: Mapping[str, Array],
    reference: Mapping[str, Array],
) -> list[str]:
    """What can change by a few percent without any output leaving its tolerance.

    Tried: the inputs, the first and the last floating-point variable that the signature reads.
    """
    found = []
    if inputs and not _moves(live.run(_nudged(inputs)), reference):
        found.append("the inputs")
    floats = [v for v in model.variables if v.variable.dtype.is_floating and live.reads(v)]
    floats = [v for v in floats if v.variable.shape.num_elements()]
    for variable in floats[:1] + floats[1:][-1:]:
        with _perturbed(variable):
            if not _moves(live.run(inputs), reference):
                found.append(variable.path)
    return found


@contextmanager
def _perturbed(variable: ModelVariable) -> Iterator[None]:
    raw = variable.variable
    value = raw.numpy()
    try:
        raw.assign((value * 1.05 + 0.02).astype(value.dtype))
        yield
    finally:
        raw.assign(value)


def _nudged(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Floats by a few percent; anything else in reversed order."""
    return {
        name: value.reshape(-1)[::-1].reshape(value.shape)
        if value.dtype.kind in "iubO"
        else (value * 1.05 + 0.02).astype(value.dtype)
        for name, value in inputs.items()
    }


def _moves(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
    return not _close(outputs, reference)


def _close(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
    return all(compare(reference[name], value).passed for name, value in outputs.items())


def _same(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
    return all(
        value.tolist() == reference[name].tolist()
        if value.dtype.hasobject
        else value.tobytes() == reference[name].tobytes()
        for name, value in outputs.items()
    )


def _operations(function: Any) -> set[str]:
    """Types of all operations in the graph and in every function that it can call."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return {node.op for node in nodes}

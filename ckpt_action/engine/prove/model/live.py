"""The live restored model as the reference: its outputs, and whether they can prove anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from ckpt_action.engine.arrays import Array, to_array
from ckpt_action.engine.out_of_memory import out_of_memory
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.model.asked_sizes import Asked, Change
from ckpt_action.engine.records import ModelVariable, TracedSignature
from ckpt_action.engine.trace.op_kinds import draws, writes_state
from ckpt_action.verify import compare

_BRANCHES = frozenset({"If", "StatelessIf", "Case", "StatelessCase", "Switch", "RefSwitch"})
_LOOPS = frozenset({"While", "StatelessWhile"})
_SEQUENCE = 3
"""Dimensions of a batch of sequences of vectors; images have more."""


class LiveSignature:
    """One signature of the traced model, called so that no call leaves a trace.

    Where the graph writes variables (a stateful RNN, a random seed), they get their values from
    before the first call back after every call.
    """

    def __init__(self, traced: TracedSignature) -> None:
        self.record = traced.record
        self.twin = traced.twin
        self.turned = traced.turned
        self.passed_over = traced.passed_over
        self.untrained = traced.untrained
        self._traced = traced
        self._function = traced.function
        self.has_code = traced.eager is not None
        """Whether Python can call it."""
        self.keras_alone = traced.keras_alone
        self.sources = traced.sources
        self.noise = traced.noise
        self._operations = operations = _operations(traced.function)
        self.random = any(draws(name) for name in operations)
        """Whether any operation draws random numbers."""
        stateful = any(writes_state(name) for name in operations)
        self._state = [(v, v.numpy()) for v in _variables(traced)] if stateful else []

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; raises tf.errors.OpError where the model refuses the inputs."""
        try:
            return self._call(inputs)
        finally:
            self._reset()

    def answer(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """As `run`; None where the model refuses the inputs."""
        try:
            return self.run(inputs)
        except tf.errors.ResourceExhaustedError:
            raise
        except (tf.errors.OpError, ValueError):
            return None

    @contextmanager
    def kept(self) -> Iterator[Any]:
        """The function, to be called in another way: what that writes is put back."""
        try:
            yield self._function
        finally:
            self._reset()

    def eagerly(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs where Python calls the model, which has code and may raise anything."""
        assert self._traced.eager is not None
        called = self._traced.eager(self._fed(inputs))
        return {name: to_array(value) for name, value in called.items()}

    def asked_sizes(self, inputs: Mapping[str, Array]) -> Collection[Change]:
        """Where the user's code would decide otherwise than in one call by Python; what else
        comes of that is told of elsewhere."""
        asked = Asked(users=frozenset(map(str, self.sources)))
        try:
            with asked.watched():
                self.eagerly(inputs)
        except Exception as error:  # anything may come out of the model's code
            if out_of_memory(error):
                raise
        return asked.found

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
        return self.twin is None or self._agrees(self.twin.function, probes, close)

    def like_turned(self, probes: Iterable[Probe]) -> bool:
        """As `like_twin`, of the model that was made in another order."""
        return self.turned is None or self._agrees(self.turned.function, probes, close)

    def _agrees(
        self,
        function: Any,
        probes: Iterable[Probe],
        agree: Callable[[Mapping[str, Array], Mapping[str, Array]], bool],
    ) -> bool:
        other = LiveSignature(
            replace(self._traced, function=function, again=None, twin=None, turned=None)
        )
        answers = ((other.answer(probe.inputs), probe.reference) for probe in probes)
        return all(found is not None and agree(found, wanted) for found, wanted in answers)

    def branches(self) -> bool:
        """Whether it may compute one thing or another."""
        return not _BRANCHES.isdisjoint(self._operations)

    def loops_over_sequences(self) -> bool:
        """Whether it has a loop, and nothing in it can be a batch of images."""
        operations = self._function.graph.get_operations()
        ranks = [tensor.shape.rank for one in operations for tensor in one.outputs]
        return any(one.type in _LOOPS for one in operations) and all(
            rank is not None and rank <= _SEQUENCE for rank in ranks
        )

    def reads(self, variable: ModelVariable) -> bool:
        return any(v.variable is variable.variable for v in self._traced.variables)

    def _call(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        called = self._function(**self._fed(inputs))
        return {name: to_array(value) for name, value in called.items()}

    def _fed(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        dtypes = {t.name: t.dtype for t in self.record.inputs}
        return {name: tf.constant(value, dtypes[name]) for name, value in inputs.items()}

    def _reset(self, but: tuple[str, ...] = ()) -> None:
        for variable, value in self._state:
            if np.asarray(value).dtype.kind not in but:
                variable.assign(value)


def known_words(resources: Iterable[Any]) -> Iterator[bytes]:
    """Keys of the lookup tables that tell them, sorted: other text finds nothing there."""
    for table in resources:
        if hasattr(table, "export") and table.key_dtype == tf.string:
            keys, _ = table.export()
            yield from sorted(to_array(keys).tolist())


def close(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
    return all(compare(reference[name], value).passed for name, value in outputs.items())


def _same(outputs: Mapping[str, Array], reference: Mapping[str, Array]) -> bool:
    return all(
        value.tolist() == reference[name].tolist()
        if value.dtype.hasobject
        else value.tobytes() == reference[name].tobytes()
        for name, value in outputs.items()
    )


def _variables(traced: TracedSignature) -> list[Any]:
    """What the function captures: of a graph that takes handles it knows none itself, of a twin's
    function the signature's are not those."""
    captured = {id(outer) for outer, _ in traced.function.graph.captures}
    known = [v.variable for v in traced.variables if id(v.variable.handle) in captured]
    return list({id(v): v for v in (*known, *traced.function.variables)}.values())


def _operations(function: Any) -> set[str]:
    """Types of all operations in the graph and in every function that it can call."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return {node.op for node in nodes}

"""What proves that the values arrived: each check is seen to fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from restoring import rebuilt, restored

from ckpt_action.engine.restore.assign import assign, fill
from ckpt_action.engine.restore.model.variables import live_model
from ckpt_action.engine.restore.records import Candidate, LiveVariable, Value
from ckpt_action.engine.restore.sources.source import BundleSource
from ckpt_action.errors import CkptActionError, Severity


class Net(tf.Module):
    def __init__(self, dtype=tf.float32):
        super().__init__()
        self.a = tf.Variable(tf.cast([1.5, 2.5], dtype))
        self.b = tf.Variable(tf.cast([3.0], dtype))
        self.z = tf.Variable(tf.cast([1.0], tf.complex64))
        self.n = tf.Variable([3])
        self.on = tf.Variable([True])
        self.word = tf.Variable(["a"])


class Flipping:
    """A variable that changes one byte of what it is given."""

    def __init__(self, variable):
        self.raw = variable
        self.dtype = variable.dtype
        self.shape = variable.shape

    def assign(self, value):
        self.raw.assign(np.nextafter(value, np.float32(9)))

    def read_value(self):
        return self.raw.read_value()

    def numpy(self):
        return self.raw.numpy()


def saved(module, tmp_path):
    tf.train.Checkpoint(module).write(tmp_path / "ck")
    return BundleSource(tmp_path / "ck")


def candidates(module, source):
    keys = {v.key.split("/")[0]: v for v in source.values.values()}
    return [
        Candidate(variable=v, value=keys[v.path], ordered=False)
        for v in live_model(rebuilt(module)).own()
    ]


def test_a_binder_that_forgets_a_variable_is_caught(tmp_path):
    module = Net()
    source = saved(module, tmp_path)
    bound = candidates(module, source)
    variables = [c.variable for c in bound]
    for forgotten in bound:
        kept = [c for c in bound if c is not forgotten]
        with pytest.raises(CkptActionError, match=f"without a value: {forgotten.variable.path}"):
            fill(variables, kept, source)


def test_a_flipped_byte_is_seen(tmp_path):
    module = Net()
    source = saved(module, tmp_path)
    value = next(v for v in source.values.values() if v.key.startswith("a/"))
    flipping = LiveVariable(
        path="a", variable=Flipping(module.a), trainable=True, place="a", attributes="a", names=()
    )
    with pytest.raises(CkptActionError, match="does not hold the bytes of a/"):
        assign([Candidate(variable=flipping, value=value, ordered=False)], source)


class Idle(Flipping):
    """A variable that takes nothing."""

    def assign(self, value):
        pass


@pytest.mark.parametrize("name", ["a", "z", "n", "on", "word"])
def test_an_assigner_that_does_nothing_is_caught(name, tmp_path):
    source = saved(Net(), tmp_path)
    module = Net()
    for variable in module.variables:
        variable.assign(tf.zeros_like(variable))
    bound = candidates(module, source)
    broken = [
        replace(c, variable=replace(c.variable, variable=Idle(c.variable.variable)))
        if c.variable.path == name
        else c
        for c in bound
    ]
    with pytest.raises(CkptActionError, match=f"{name} does not hold the bytes of {name}/"):
        fill([c.variable for c in broken], broken, source)


@pytest.mark.parametrize(
    ("values", "kinds", "count"),
    [
        ((np.nan, 1.0), "NaN", 1),
        ((np.inf, 1.0), "infinite values", 1),
        ((-np.inf, np.nan), "NaN and infinite values", 2),
    ],
)
def test_what_is_no_number_in_the_file_is_named(values, kinds, count, tmp_path):
    module = Net()
    module.a.assign(values)
    saved(module, tmp_path)
    found = restored(Net(), tmp_path / "ck")
    (problem,) = found.problems
    assert problem.severity is Severity.WARNING
    assert f"The checkpoint holds {kinds} in a ({count} of 2 values of a)" in problem.message


@pytest.mark.parametrize("narrow", [tf.float16, tf.bfloat16])
def test_narrower_values_are_widened_and_named(narrow, tmp_path):
    saved(Net(narrow), tmp_path)
    model = Net()
    model.a.assign([0.0, 0.0])
    found = restored(model, tmp_path / "ck")
    assert model.a.numpy().tolist() == [1.5, 2.5]
    (problem,) = found.problems
    assert f"a: {narrow.name} to float32" in problem.message
    assert len(problem.details) == 2


def test_a_value_of_the_checkpoint_with_an_own_form_is_not_overlooked(tmp_path):
    class Odd(tf.Module, tf.__internal__.tracking.Trackable):
        def _serialize_to_tensors(self):
            return {"numbers": tf.constant([1.0, 2.0])}

    class Holder(Net):
        pass

    holder = Holder()
    holder.odd = Odd()
    tf.train.Checkpoint(holder).write(tmp_path / "ck")
    with pytest.raises(CkptActionError, match="1 value that the model has no place for"):
        restored(Net(), tmp_path / "ck")


def test_values_are_records_of_the_file(tmp_path):
    source = saved(Net(), tmp_path)
    value = source.values["a/.ATTRIBUTES/VARIABLE_VALUE"]
    assert isinstance(value, Value)
    assert (value.dtype, value.shape) == ("float32", (2,))

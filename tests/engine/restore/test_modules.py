"""Models that are no Keras models, and checkpoints of several parts."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from restoring import refusal, restored


def variable(*shape, dtype=tf.float32):
    return tf.Variable(tf.cast(tf.random.normal(shape), dtype))


class Pair(tf.Module):
    def __init__(self, first="enc", second="dec"):
        super().__init__()
        setattr(self, first, variable(3, 4))
        setattr(self, second, variable(4, 2))


class Containers(tf.Module):
    """Variables in a list, a dict, a tuple and an inner module, of several dtypes."""

    def __init__(self):
        super().__init__()
        self.layers = [variable(2), [variable(3)]]
        self.heads = {"a": variable(4), "b": tf.Variable([1, 2])}
        self.pair = (variable(5, dtype=tf.float64), tf.Variable(True))
        self.inner = Pair()


class Plain:
    """Neither a module nor a layer."""

    def __init__(self):
        self.weight = variable(3)

    def __call__(self, x):
        return x * self.weight


def values(model):
    return [np.asarray(v) for v in model.variables]


def assert_equal(a, b):
    for one, other in zip(values(a), values(b), strict=True):
        np.testing.assert_array_equal(one, other)


def test_containers(tmp_path):
    saved, model = Containers(), Containers()
    tf.train.Checkpoint(module=saved).save(tmp_path / "ck")
    found = restored(model, tmp_path / "ck-1")
    assert_equal(saved, model)
    assert {v.path for v in found.variables} == {
        "layers/0", "layers/1/0", "heads/a", "heads/b", "pair/0", "pair/1", "inner/enc",
        "inner/dec",
    }  # fmt: skip
    assert all(v.source for v in found.variables)
    assert found.binding.keras == "none"


def test_bare_variables_on_the_checkpoint_itself(tmp_path):
    saved, model = Pair(), Pair()
    tf.train.Checkpoint(enc=saved.enc, dec=saved.dec, epoch=tf.Variable(3)).save(tmp_path / "ck")
    found = restored(model, tmp_path / "ck-1")
    assert_equal(saved, model)
    assert found.binding.root == ""
    assert found.binding.ignored == {"counter": 2}


def test_a_plain_object_with_variables(tmp_path):
    saved, model = Plain(), Plain()
    tf.train.Checkpoint(weight=saved.weight).write(tmp_path / "ck")
    restored(model, tmp_path / "ck")
    np.testing.assert_array_equal(saved.weight, model.weight)


def test_of_two_parts_that_fit_one_has_to_be_named(tmp_path):
    saved, model = tf.train.Checkpoint(online=Pair(), target=Pair()), Pair()
    saved.write(tmp_path / "ck")
    problem = refusal(model, tmp_path / "ck")
    assert "'online', 'target'" in problem.message
    assert "`root`" in problem.hint
    found = restored(model, tmp_path / "ck", root="target")
    assert_equal(saved.target, model)
    assert found.binding.ignored == {"model": 2}
    assert "other parts than target" in found.binding.notes[0]


def test_a_part_of_a_part(tmp_path):
    holder = tf.Module()
    holder.policy, holder.other = Pair(), Pair()
    tf.train.Checkpoint(agent=holder).write(tmp_path / "ck")
    model = Pair()
    restored(model, tmp_path / "ck", root="agent.policy")
    assert_equal(holder.policy, model)
    problem = refusal(model, tmp_path / "ck", root="agent.polcy")
    assert "'polcy'" in problem.message
    assert "other, policy" in problem.hint


def test_the_only_part_that_fits_is_found(tmp_path):
    other = tf.Module()
    other.a, other.b = variable(9), variable(9)
    saved, model = Pair(), Pair()
    checkpoint = tf.train.Checkpoint(tokenizer=other, train_op=saved)
    checkpoint.root = checkpoint
    checkpoint.write(tmp_path / "ck")
    assert restored(model, tmp_path / "ck").binding.root == "train_op"
    assert_equal(saved, model)


def test_one_value_for_two_variables_is_not_clear(tmp_path):
    saved = Pair()
    saved.dec = saved.enc
    tf.train.Checkpoint(module=saved).write(tmp_path / "ck")
    model = Pair()
    model.dec = variable(3, 4)
    problem = refusal(model, tmp_path / "ck", root="module")
    assert "not clear" in problem.message
    assert sum(line.startswith("?") for line in problem.details) == 2


def test_growing_tables(tmp_path):
    class Counting(tf.Module):
        def __init__(self):
            super().__init__()
            self.weight = variable(2)
            self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)

    saved, model = Counting(), Counting()
    saved.table.insert(["a", "b"], [3, 4])
    model.table.insert(["stale"], [9])
    tf.train.Checkpoint(module=saved).write(tmp_path / "ck")
    restored(model, tmp_path / "ck")
    found = model.table.lookup(tf.constant(["b", "a", "stale"])).numpy().tolist()
    assert found == [4, 3, -1]

    problem = refusal(Plain2(), tmp_path / "ck", root="module")
    assert any("table" in line for line in problem.details)


class Plain2(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = variable(2)

"""Models that are no Keras models, and checkpoints of several parts."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
import tensorflow as tf
from restoring import fresh, refusal, restored

from ckpt_action.engine.restore.sources.graph import CheckpointGraph


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
    assert "`polcy`" in problem.message
    assert "other, policy" in problem.hint


def test_the_only_part_of_a_part_that_fits_is_found(tmp_path):
    agents = tf.Module()
    agents.agent = tf.Module()
    agents.agent.actor, agents.agent.critic = Pair(), tf.Module()
    agents.agent.critic.weight = variable(3)
    tf.train.Checkpoint(agents=agents, step=tf.Variable(1)).save(tmp_path / "ck")
    model = Pair()
    binding = restored(model, tmp_path / "ck-1").binding
    assert_equal(agents.agent.actor, model)
    assert binding.root == "agents.agent.actor"
    assert "1 values of the checkpoint belong to other parts" in binding.notes[0]
    problem = refusal(Pair(), tmp_path / "ck-1", root="agents.agent.critic")
    assert "The model fits 'agents.agent.actor'." in problem.message


def test_of_two_parts_of_a_part_one_has_to_be_named(tmp_path):
    agent = tf.Module()
    agent.actor, agent.target = Pair(), Pair()
    tf.train.Checkpoint(agent=agent).write(tmp_path / "ck")
    problem = refusal(Pair(), tmp_path / "ck")
    assert "fit the model equally well: 'agent.actor', 'agent.target'" in problem.message


def test_no_part_of_a_keras_model_is_taken_for_the_model(tmp_path):
    def build(*names):
        fresh()
        inputs = x = keras.Input((3,))
        for name in names:
            inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name=name)
            x = inner(x)
        return keras.Model(inputs, x)

    tf.train.Checkpoint(agent=build("a", "b")).write(tmp_path / "ck")
    assert "dropped" in refusal(build("a"), tmp_path / "ck").message


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


class Served(tf.Module):
    """What people serve: the trained model with its vocabulary before it."""

    def __init__(self, model, **more):
        super().__init__()
        self.model = model
        self.words = tf.constant(["a", "b"])
        for name, value in more.items():
            setattr(self, name, value)


def test_a_checkpoint_of_the_model_inside_a_wrapper(tmp_path):
    saved, model = Pair(), Pair()
    tf.train.Checkpoint(saved).write(tmp_path / "ck")
    found = restored(Served(Served(model)), tmp_path / "ck")
    assert_equal(saved, model)
    assert "the checkpoint is that of `model.model` inside the model" in found.binding.notes


def test_a_keras_model_inside_a_wrapper(tmp_path):
    def build():
        fresh()
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])

    saved, model = build(), build()
    saved.save_weights(tmp_path / "w.weights.h5")
    saved.save(tmp_path / "whole.h5")
    for name in ("w.weights.h5", "whole.h5"):
        restored(Served(model), tmp_path / name)
        assert_equal(saved, model)
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])


def test_a_wrapper_with_a_variable_of_its_own_is_not_filled(tmp_path):
    tf.train.Checkpoint(Pair()).write(tmp_path / "ck")
    problem = refusal(Served(Pair(), scale=variable(1)), tmp_path / "ck")
    assert any("scale [1]" in line for line in problem.details)


def test_layers_whose_variables_keras_does_not_count(tmp_path):
    """Keras 2 numbers layers with weights apart from all others; a module's variables are none."""

    class Held(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.module = Pair()

    def build():
        fresh()
        model = keras.Sequential([Held(), keras.layers.Dense(3)])
        model.layers[1].build((None, 2))
        return model

    saved, model = build(), build()
    dense = tf.train.Checkpoint(
        kernel=saved.layers[1].kernel.value, bias=saved.layers[1].bias.value
    )
    graph = tf.train.Checkpoint()
    setattr(graph, "layer-0", tf.train.Checkpoint(module=saved.layers[0].module))
    setattr(graph, "layer_with_weights-0", dense)
    setattr(graph, "layer-1", dense)
    graph.write(tmp_path / "ck")
    restored(model, tmp_path / "ck")
    assert_equal(saved.layers[0].module, model.layers[0].module)
    assert_equal(saved.layers[1], model.layers[1])


def test_each_part_costs_what_it_holds(tmp_path, monkeypatch):
    """A small model is laid over every part of a large checkpoint: twice the parts, twice the work,
    and the file is read as a graph once."""
    asked, graphs = Counter(), Counter()
    value, init = CheckpointGraph.value, CheckpointGraph.__init__

    def counted_value(graph, node):
        asked[len(graph.nodes)] += 1
        return value(graph, node)

    def counted_init(graph, source):
        init(graph, source)
        graphs[len(graph.nodes)] += 1

    monkeypatch.setattr(CheckpointGraph, "value", counted_value)
    monkeypatch.setattr(CheckpointGraph, "__init__", counted_init)
    for count in (30, 60):
        parts = tf.train.Checkpoint(**{f"part{i}": Pair() for i in range(count)})
        path = tf.train.Checkpoint(parts=parts).write(tmp_path / f"{count}")
        refusal(Pair("other", "another"), path, allow_missing=("other",))
    assert list(graphs.values()) == [1, 1]
    small, large = asked.values()
    assert large < 3 * small

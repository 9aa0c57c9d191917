"""Tables that a checkpoint knows by the order of layers alone: exchanged, they fit as well."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, refusal, restored

ONE, TWO = {"x": 1, "y": 2}, {"x": 7, "y": 9}


def growing(content):
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
    if content:
        table.insert(tf.constant(list(content)), tf.constant(list(content.values()), tf.int64))
    return table


class Ranks(keras.layers.Layer):
    """Looks ranks up; with `weights` of its own if it has a size for them."""

    def __init__(self, content, attribute="ranks", size=0, **options):
        super().__init__(**options)
        setattr(self, attribute, growing(content))
        self.attribute = attribute
        if size:
            self.scale = self.add_weight(shape=(size,), initializer="normal", name="scale")

    def call(self, x):
        found = tf.ensure_shape(getattr(self, self.attribute).lookup(x), (None, 1))
        scale = keras.ops.sum(self.scale) if hasattr(self, "scale") else 1.0
        return tf.cast(found, "float32") * scale


def network(first, second, **attributes):
    """Two layers, one for each input."""
    inputs = [keras.Input((1,), dtype="string", name=name) for name in "ab"]
    both = keras.layers.Concatenate()([first(inputs[0]), second(inputs[1])])
    model = keras.Model(inputs, keras.layers.Dense(2)(both))
    for name, layer in attributes.items():
        setattr(model, name, layer)
    return model


def pair(one=None, two=None, **options):
    fresh()
    return network(Ranks(one, **options), Ranks(two, **options))


def named(one=None, two=None):
    fresh()
    layers = Ranks(one), Ranks(two)
    return network(*layers, colours=layers[0], sizes=layers[1])


def apart(one=None, two=None, **second):
    """The second layer is another one."""
    fresh()
    return network(Ranks(one, size=2), Ranks(two, **{"size": 2, **second}))


def of_keras_2(model):
    """What Keras 2 stores of it."""
    graph = tf.train.Checkpoint()
    setattr(graph, "layer_with_weights-0", tf.train.Checkpoint(
        kernel=model.layers[5].kernel.value, bias=model.layers[5].bias.value
    ))  # fmt: skip
    for number in (2, 3):
        setattr(graph, f"layer-{number}", tf.train.Checkpoint(ranks=model.layers[number].ranks))
    return graph


@pytest.fixture
def write(tmp_path):
    def written(model):
        saver = model if isinstance(model, tf.train.Checkpoint) else tf.train.Checkpoint(model)
        return saver.write(str(tmp_path / "ck"))

    return written


def said(model):
    return np.asarray(model([tf.constant([["x"], ["y"], ["z"]])] * 2))


@pytest.mark.parametrize("keras_2", [False, True])
def test_tables_that_only_the_order_tells_apart_are_refused(keras_2, write):
    saved = pair(ONE, TWO)
    problem = refusal(pair(), write(of_keras_2(saved) if keras_2 else saved))
    stored = "layer-2/ranks, layer-3/ranks" if keras_2 else "_operations/2/ranks, _operations/3/"
    assert "Only the order of layers says" in problem.message
    assert stored in problem.message
    assert "(ranks/ranks, ranks_1/ranks)" in problem.message
    assert "Fill them in the code" in problem.hint
    assert "model.colours = " in problem.hint


@pytest.mark.parametrize("keras_2", [False, True])
def test_equal_content_may_change_places(keras_2, write):
    saved, model = pair(ONE, ONE), pair()
    restored(model, write(of_keras_2(saved) if keras_2 else saved))
    np.testing.assert_array_equal(said(model), said(saved))


def test_names_of_attributes_decide(write):
    saved, model = named(ONE, TWO), named()
    path = write(saved)
    restored(model, path)
    np.testing.assert_array_equal(said(model), said(saved))
    assert "Only the order" in refusal(pair(), path).message


def test_the_content_that_the_code_fills_in_decides(write):
    saved, model = pair(ONE, TWO), pair(ONE, TWO)
    path = write(saved)
    restored(model, path)
    np.testing.assert_array_equal(said(model), said(saved))
    restored(pair(ONE), path)
    assert "Only the order" in refusal(pair(TWO, ONE), path).message


def test_what_the_checkpoint_holds_no_entry_for_may_be_either(write):
    assert "Only the order" in refusal(pair(), write(pair({}, TWO))).message


@pytest.mark.parametrize("second", [{"attribute": "sizes"}, {"size": 3}, {"size": 0}])
def test_layers_of_another_form_cannot_change_places(second, write):
    saved, model = apart(ONE, TWO, **second), apart(**second)
    restored(model, write(saved))
    np.testing.assert_array_equal(said(model), said(saved))


def test_weights_of_equal_shape_tell_nothing(write):
    assert "Only the order" in refusal(apart(), write(apart(ONE, TWO))).message


@pytest.mark.parametrize(
    ("stored", "live", "clear"),
    [
        (("colour", "size"), ("colour", "size"), True),
        (("colour", "size"), ("other", "another"), False),
        (("ranks", "ranks_1"), ("ranks", "ranks_1"), False),
    ],
)
def test_recorded_names_of_weights_decide_unless_they_are_counted(stored, live, clear, write):
    """Keras 2 records the layer's name."""

    def build(one, two, names):
        fresh()
        layers = [Ranks(c, size=2, name=n) for c, n in zip((one, two), names, strict=True)]
        return network(*layers)

    saved, model = build(ONE, TWO, stored), build(None, None, live)
    graph = tf.train.Checkpoint()
    for number, layer in enumerate(saved.layers[2:4]):
        part = tf.train.Checkpoint(ranks=layer.ranks)
        part.scale = tf.Variable(layer.scale.value, name=f"{layer.name}/scale")
        setattr(graph, f"layer_with_weights-{number}", part)
    dense = saved.layers[5]
    setattr(graph, "layer_with_weights-2", tf.train.Checkpoint(
        kernel=dense.kernel.value, bias=dense.bias.value
    ))  # fmt: skip
    path = write(graph)
    if clear:
        restored(model, path)
        np.testing.assert_array_equal(said(model), said(saved))
    else:
        assert "Only the order" in refusal(model, path).message


def test_two_tables_of_the_model_where_one_was_shared(write):
    """Each of them holds what the one held."""

    def net(one, two):
        module = tf.Module()
        module.weight, module.one, module.two = tf.Variable([1.0, 2.0]), one, two
        return module

    shared = growing(ONE)
    model = net(growing({"stale": 1}), growing({"stale": 1}))
    restored(model, write(tf.train.Checkpoint(net(shared, shared))))
    for table in (model.one, model.two):
        assert table.lookup(tf.constant(["y", "stale"])).numpy().tolist() == [2, 0]

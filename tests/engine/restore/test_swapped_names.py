"""Models that fit both ways round: the recorded names decide, whatever the order of the code."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from architectures import shake
from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5
from restoring import fresh, refusal, restored

layers = keras.layers


def heads(order):
    fresh()
    inputs = layers.Input((3,))
    named = {name: layers.Dense(4, name=name) for name in order}
    return keras.Model(inputs, {name: layer(inputs) for name, layer in named.items()})


def towers(order):
    """Two models with a layer of one name in each."""
    fresh()
    inputs = layers.Input((3,))
    found = {}
    for name in order:
        inner = layers.Input((3,))
        found[name] = keras.Model(inner, layers.Dense(4, name="proj")(inner), name=name)
    return keras.Model(inputs, [found[name](inputs) for name in order])


def test_the_towers_names_decide_where_the_layers_have_one_name(tmp_path):
    model = towers(["user", "item"])
    shake(model)
    model.save_weights(tmp_path / "saved.weights.h5")
    assert restored(towers(["user", "item"]), tmp_path / "saved.weights.h5").binding.bound == 4
    problem = refusal(towers(["item", "user"]), tmp_path / "saved.weights.h5")
    assert "may be swapped" in problem.message


def test_names_that_tell_nothing_are_warned_of(tmp_path):
    """A TensorFlow checkpoint of Keras 3 records `proj/kernel` for both towers."""
    model = towers(["user", "item"])
    shake(model)
    tf.train.Checkpoint(model=model).write(tmp_path / "saved")
    found = restored(towers(["item", "user"]), tmp_path / "saved")
    (warning,) = found.problems
    assert "only the order of the code says which is which" in warning.message
    assert set(warning.details) >= {"user/proj/kernel", "item/proj/kernel"}


class Affine(layers.Layer):
    """Two weights of equal shape, which code of another day may make in another order."""

    def __init__(self, order):
        super().__init__()
        self.order = order

    def build(self, shape):
        for name in self.order:
            setattr(self, name, self.add_weight(shape=(shape[-1],), name=name))

    def call(self, x):
        return x * self.scale + self.shift


def affine(order):
    fresh()
    return keras.Sequential([layers.Input((3,)), Affine(order), layers.BatchNormalization()])


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_that_a_layer_made_in_another_order_are_warned_of(tmp_path, suffix):
    """These files count the variables of a layer; TensorFlow's own and HDF5 of old name them."""
    model = affine(["scale", "shift"])
    shake(model)
    saved = tmp_path / f"saved{suffix}"
    (model.save if suffix == ".keras" else model.save_weights)(saved)
    found = restored(affine(["shift", "scale"]), saved)
    (warning,) = found.problems
    assert "only the order of the code says which is which" in warning.message
    assert "golden file" in warning.hint
    assert set(warning.details) == {"sequential/affine/scale", "sequential/affine/shift"}
    tf.train.Checkpoint(model=model).write(tmp_path / "named")
    swapped = affine(["shift", "scale"])
    assert restored(swapped, tmp_path / "named").problems == ()
    np.testing.assert_array_equal(swapped.layers[0].scale, model.layers[0].scale)


def test_keras_makes_its_own_weights_in_one_order_always(tmp_path):
    """BatchNormalization has four of one shape, an LSTM whose input is as wide as it two."""

    def build():
        fresh()
        lstm = layers.LSTM(3)
        return keras.Sequential([layers.Input((2, 3)), layers.BatchNormalization(), lstm])

    build().save_weights(tmp_path / "saved.weights.h5")
    assert restored(build(), tmp_path / "saved.weights.h5").problems == ()


def test_outputs_in_a_dict_are_sorted_so_nothing_is_swapped(tmp_path):
    model = heads(["user", "item"])
    shake(model)
    model.save_weights(tmp_path / "saved.weights.h5")
    found = restored(heads(["item", "user"]), tmp_path / "saved.weights.h5")
    assert found.binding.bound == 4
    assert found.problems == ()


def test_members_of_a_list(tmp_path):
    class Heads(tf.Module):
        def __init__(self, order):
            super().__init__()
            self.heads = [tf.Variable(tf.ones(4), name=name) for name in order]

    tf.train.Checkpoint(Heads(["user", "item"])).write(tmp_path / "saved")
    assert restored(Heads(["user", "item"]), tmp_path / "saved").binding.bound == 2
    problem = refusal(Heads(["item", "user"]), tmp_path / "saved")
    assert "may be swapped" in problem.message


def nested(names, *, frozen=None):
    """A model inside of another one, with layers of equal shape; Keras counts them for `None`."""
    fresh()
    parts = [layers.Dense(3, name=name) for name in names]
    inner = keras.Sequential([layers.Input((3,)), *parts], name="inner")
    outer = keras.Sequential([layers.Input((3,)), inner, layers.Dense(2, name="last")])
    if frozen is not None:
        parts[frozen].trainable = False
    return outer


@pytest.mark.parametrize("frozen", [0, 1])
def test_names_that_were_chosen_tell_what_was_frozen(tmp_path, frozen):
    """A legacy file has what was frozen last, and names its layers."""
    saved = nested(["one", "two", "three"], frozen=frozen)
    shake(saved)
    save_model_to_hdf5(saved, str(tmp_path / "saved.h5"))
    rebuilt = nested(["one", "two", "three"])
    binding = restored(rebuilt, tmp_path / "saved.h5").binding
    assert binding.bound == 8
    (note,) = binding.notes
    assert "inner has its weights by their recorded names" in note
    x = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(rebuilt(x), saved(x), rtol=1e-6)


def test_counted_names_do_not_tell_what_was_frozen(tmp_path):
    """Layers that were created in another order leave the same file."""
    saved = nested([None, None], frozen=0)
    shake(saved)
    save_model_to_hdf5(saved, str(tmp_path / "saved.h5"))
    problem = refusal(nested([None, None]), tmp_path / "saved.h5")
    assert "may be swapped" in problem.message
    assert "trainable = False" in problem.hint
    assert restored(nested([None, None], frozen=0), tmp_path / "saved.h5").binding.bound == 6


@pytest.mark.parametrize("order", [["three", "two", "one"], ["four", "one", "three", "two"]])
def test_an_order_that_nothing_frozen_explains_is_refused(tmp_path, order):
    saved = nested(order)
    shake(saved)
    save_model_to_hdf5(saved, str(tmp_path / "saved.h5"))
    problem = refusal(nested(["one", "two", "three", "four"][: len(order)]), tmp_path / "saved.h5")
    assert "may be swapped" in problem.message

"""Variables that several layers share, which Keras's files hold once for each of them."""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, refusal, restored

from ckpt_action.checkpoint.identify import identify
from ckpt_action.engine.layers.stored_layers import other_layers


def normalised():
    """The wrapper lists the kernel of the layer in it as its own too."""
    layers = fresh().layers
    wrapped = layers.SpectralNormalization(layers.Dense(2))
    return keras.Sequential([keras.Input((3,)), wrapped, layers.Dense(2)])


class Back(keras.layers.Layer):
    """A decoder with the kernel of the encoder."""

    def __init__(self, encoder):
        super().__init__()
        self.offset = self.add_weight(shape=(4,), initializer="zeros")
        self.kernel = encoder.kernel

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.transpose(self.kernel)) + self.offset

    def get_config(self):
        return {}


def autoencoder():
    encoder = fresh().layers.Dense(4)
    inputs = keras.Input((4,))
    between = encoder(inputs)
    return keras.Model(inputs, Back(encoder)(between))


X = {normalised: np.ones((2, 3), "float32"), autoencoder: np.ones((2, 4), "float32")}


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("file", ["w.weights.h5", "a.keras", "a.h5", "ck"])
@pytest.mark.parametrize("build", X)
def test_a_shared_variable_that_is_stored_twice(build, file, tmp_path):
    saved = build()
    if file == "ck":
        tf.train.Checkpoint(saved).write(str(tmp_path / file))
    else:
        (saved.save_weights if "weights" in file else saved.save)(tmp_path / file)
    model = build()
    model.set_weights([np.full_like(w, 9) for w in model.get_weights()])
    found = restored(model, tmp_path / file)
    np.testing.assert_array_equal(model(X[build]), saved(X[build]))
    assert found.binding.unused_allowed == ()


def test_copies_that_differ_are_refused(tmp_path):
    path = tmp_path / "w.weights.h5"
    autoencoder().save_weights(path)
    with h5py.File(path, "r+") as file:
        file["layers/back/vars/1"][0, 0] += 1
    problem = refusal(autoencoder(), path)
    assert "one variable dense/kernel where the checkpoint has 2 values that differ" in (
        problem.message
    )
    assert "layers/dense/vars/0 and layers/back/vars/1" in problem.message
    assert "what was not shared in the training" in problem.hint


def test_equal_values_without_a_place_for_each_stay_unclear(tmp_path):
    """One attribute, and two that may be it: equal zeros do not make them one."""

    def net(*names):
        module = tf.Module()
        for name in names:
            setattr(module, name, tf.Variable(tf.zeros([3])))
        return module

    tf.train.Checkpoint(net("_bias", "__bias")).write(str(tmp_path / "ck"))
    assert "not clear which value they take" in refusal(net("bias"), tmp_path / "ck").message


def test_a_value_that_two_variables_claim_stays_unclear(tmp_path):
    """Two lists in another order: each variable has a place for both values."""

    def net(order):
        module = tf.Module()
        module.first, module.second = (tf.Variable(tf.zeros([3])) for _ in range(2))
        module.all = [(module.first, module.second)[n] for n in order]
        return module

    tf.train.Checkpoint(net([0, 1])).write(str(tmp_path / "ck"))
    restored(net([0, 1]), tmp_path / "ck")
    assert "not clear which value they take" in refusal(net([1, 0]), tmp_path / "ck").message


def weighed(weights):
    layers = fresh().layers
    words = layers.TextVectorization(
        output_mode="tf_idf", vocabulary=["a", "b"], idf_weights=weights
    )
    x = keras.Input((), dtype="string")
    return keras.Model(x, layers.Dense(2)(words(x)))


@pytest.mark.parametrize("file", ["w.weights.h5", "a.keras"])
def test_the_weights_of_words_are_stored_with_their_layer_and_in_it(file, tmp_path):
    saved, texts = weighed([2.5, 0.25]), tf.constant(["a b", "b c"])
    (saved.save_weights if "weights" in file else saved.save)(tmp_path / file)
    model = weighed([1.0, 1.0])
    assert restored(model, tmp_path / file).binding.bound == 3
    np.testing.assert_array_equal(model(texts), saved(texts))
    assert other_layers(model, identify(tmp_path / file), "") is None
    if "weights" in file:
        with h5py.File(tmp_path / file, "r+") as stored:
            stored["layers/text_vectorization/vars/idf_weights"][0] += 1
        assert "2 values that differ" in refusal(weighed([1.0, 1.0]), tmp_path / file).message

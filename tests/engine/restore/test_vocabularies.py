"""Lookup layers: their vocabulary is in a `.keras` archive, or has to be in the code."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, restored

from ckpt_action.errors import CkptActionError

WORDS = tf.constant(["red", "green", "red", "blue"])


def model(*, adapted=False, vocabulary=None):
    keras = fresh()
    lookup = keras.layers.StringLookup(vocabulary=vocabulary, name="colours")
    if adapted:
        lookup.adapt(WORDS)
    inputs = keras.Input((1,), dtype="string")
    return keras.Model(inputs, keras.layers.Embedding(8, 2)(lookup(inputs)))


def test_the_vocabulary_of_an_archive(tmp_path):
    saved = model(adapted=True)
    saved.save(tmp_path / "a.keras")
    rebuilt = model()
    restored(rebuilt, tmp_path / "a.keras")
    x = tf.constant([["red"], ["blue"], ["pink"]])
    np.testing.assert_array_equal(rebuilt(x), saved(x))


def test_code_that_brings_other_words_than_the_archive(tmp_path):
    model(adapted=True).save(tmp_path / "a.keras")
    with pytest.raises(CkptActionError, match="colours has another vocabulary than the file"):
        restored(model(vocabulary=["blue", "red"]), tmp_path / "a.keras")


def test_a_checkpoint_brings_no_vocabulary(tmp_path):
    tf.train.Checkpoint(model=model(adapted=True)).write(tmp_path / "ck")
    with pytest.raises(CkptActionError, match="colours has no vocabulary"):
        restored(model(), tmp_path / "ck")
    restored(model(vocabulary=["red", "blue", "green"]), tmp_path / "ck")


@pytest.mark.filterwarnings("ignore:.*HDF5")
def test_a_layer_named_optimizer_is_a_layer(tmp_path):
    def network():
        keras = fresh()
        i = keras.Input((3,))
        return keras.Model(i, keras.layers.Dense(2, name="optimizer")(i))

    saved = network()
    saved.save(tmp_path / "a.h5")
    rebuilt = network()
    assert restored(rebuilt, tmp_path / "a.h5").binding.bound == 2
    np.testing.assert_array_equal(rebuilt.weights[0], saved.weights[0])

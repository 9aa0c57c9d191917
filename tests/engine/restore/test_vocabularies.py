"""Lookup layers: their vocabulary is in a `.keras` archive, or has to be in the code."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, rebuilt, restored

from ckpt_action.checkpoint.identify import identify
from ckpt_action.config.records import Restore
from ckpt_action.engine.restore import restore
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


def two_lookups(words=(None, None), *, names=(None, None), order=(0, 1), softmax=False):
    """Each for an input of its own, in the order in which the code makes them."""
    keras = fresh()
    inputs = [keras.Input((1,), dtype="string", name=name) for name in "ab"]
    found = {}
    for number in order:
        lookup = keras.layers.StringLookup(name=names[number])
        if words[number]:
            lookup.adapt(tf.constant(words[number]))
        found[number] = keras.layers.Embedding(4, 2)(lookup(inputs[number]))
    outputs = keras.layers.Concatenate()([found[number] for number in order])
    outputs = keras.layers.Softmax()(outputs) if softmax else outputs
    return keras.Model([inputs[number] for number in order], outputs)


ONE, TWO, NAMES = ["x", "y"], ["u", "v"], ("colours", "sizes")


def test_an_archive_whose_words_only_the_order_of_layers_gives_to_a_layer(tmp_path):
    two_lookups((ONE, TWO)).save(tmp_path / "a.keras")
    restored(two_lookups(), tmp_path / "a.keras")
    for other in ({"order": (1, 0)}, {"softmax": True}):
        with pytest.raises(CkptActionError, match="Only the order of layers says") as caught:
            restored(two_lookups(**other), tmp_path / "a.keras")
        (problem,) = caught.value.problems
        assert "(layers/string_lookup, layers/string_lookup_1)" in problem.message
        assert "`name` of its own" in problem.hint
    two_lookups((ONE, ONE)).save(tmp_path / "equal.keras")
    restored(two_lookups(order=(1, 0)), tmp_path / "equal.keras")


def test_what_the_file_describes_is_in_its_order(tmp_path):
    """However Keras writes down today what an older one wrote."""
    two_lookups((ONE, TWO)).save(tmp_path / "a.keras")
    described = replace(rebuilt(two_lookups(softmax=True)), from_file=True)
    restore(described, identify(tmp_path / "a.keras"), Restore())
    assert described.model.layers[2].get_vocabulary()[1:] == sorted(ONE, reverse=True)


def test_names_of_layers_give_the_words_of_an_archive_to_each(tmp_path):
    saved, model = two_lookups((ONE, TWO), names=NAMES), two_lookups(names=NAMES, softmax=True)
    saved.save(tmp_path / "a.keras")
    restored(model, tmp_path / "a.keras")
    held = [model.get_layer(name).get_vocabulary() for name in NAMES]
    assert held == [saved.get_layer(name).get_vocabulary() for name in NAMES]
    with pytest.raises(CkptActionError, match="Only the order of layers says"):
        restored(two_lookups(names=NAMES, order=(1, 0)), tmp_path / "a.keras")


def test_layers_are_counted_through_the_whole_process(tmp_path, monkeypatch):
    two_lookups((ONE, TWO)).save(tmp_path / "a.keras")
    monkeypatch.setattr("test_vocabularies.fresh", lambda: keras)  # goes on counting
    restored(two_lookups(), tmp_path / "a.keras")

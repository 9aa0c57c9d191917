"""Lookup tables in checkpoints: tables that grow, and the words of layers before TensorFlow 2.9."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from restoring import fresh, refusal, restored

from ckpt_action.engine.restore.tables.words import copy_words
from ckpt_action.errors import CkptActionError

WORDS = {"red": 1, "green": 2, "blue": 3}
BEHIND_TWO = {"": 0, "[UNK]": 1, "red": 2, "green": 3, "blue": 4}
SAID = tf.constant([["green"], ["blue"], ["pink"]])


MISSING = {"allow_missing": ("words/weight",)}


def growing(content=None, *, keys=tf.string, values=tf.int64, default=-1):
    table = tf.lookup.experimental.MutableHashTable(keys, values, default)
    if content:
        table.insert(tf.constant(list(content), keys), tf.constant(list(content.values()), values))
    return table


class Net(tf.Module):
    """Its parts by name, with a weight."""

    def __init__(self, **parts):
        super().__init__()
        self.weight = tf.Variable(tf.random.normal([2]))
        for name, part in parts.items():
            setattr(self, name, part)


def old_layer(content, attribute="lookup_table", **table):
    """A lookup layer as TensorFlow up to 2.8 stored it."""
    module = tf.Module()
    setattr(module, attribute, growing(content, **table))
    return module


def lookup(vocabulary=None, **options):
    return fresh().layers.StringLookup(vocabulary=vocabulary, name="colours", **options)


@pytest.fixture
def checkpoint(tmp_path):
    def write(**parts):
        return tf.train.Checkpoint(Net(**parts)).write(str(tmp_path / "ck"))

    return write


def test_growing_tables(checkpoint):
    model = Net(table=growing({"stale": 9}))
    found = restored(model, checkpoint(table=growing({"a": 3, "b": 4})))
    words = model.table.lookup(tf.constant(["b", "a", "stale"])).numpy().tolist()
    assert words == [4, 3, -1]
    assert found.tables == (model.table,)


@pytest.mark.parametrize("value", [9, [9, 8]])
def test_a_table_that_grows_is_as_empty_as_in_the_file(checkpoint, value):
    table, held = (growing(default=np.zeros_like(value)) for _ in range(2))
    held.insert("stale", tf.constant(value, tf.int64))
    found = restored(Net(table=held), checkpoint(table=table))
    assert int(held.size()) == 0
    assert found.tables == (held,)


@pytest.mark.parametrize("held", [{}, {3: 0.1, 4: 0.2}])
def test_dense_tables(checkpoint, held):
    """They are stored with all of their buckets, under the key that stands for nothing."""

    def dense(content):
        table = tf.lookup.experimental.DenseHashTable(
            tf.int64, tf.float32, 0.5, empty_key=-1, deleted_key=-2, initial_num_buckets=4
        )
        for key, value in content.items():
            table.insert(tf.constant([key], tf.int64), tf.constant([value]))
        table.remove(tf.constant([4], tf.int64))
        return table

    model = Net(table=dense({9: 1.0}))
    restored(model, checkpoint(table=dense(held)))
    asked = model.table.lookup(tf.constant([3, 4, 9], tf.int64))
    np.testing.assert_array_equal(asked, np.float32([0.1 if held else 0.5, 0.5, 0.5]))


def test_a_table_that_nothing_fills(checkpoint, tmp_path):
    problem = refusal(Net(words=Net(_table=growing())), checkpoint(words=Net()))
    assert "The lookup table words/table of the model is empty" in problem.message
    found = restored(Net(table=growing()), checkpoint(), allow_missing=("tab*",))
    assert found.problems == ()
    assert "hold nothing, as `allow-missing` says: table" in found.binding.notes[0]
    restored(Net(table=growing({"a": 1})), checkpoint())  # as a static one it is the code's


def test_a_table_in_a_layer_of_keras_is_in_no_weights_file(tmp_path):
    class Ranks(fresh().layers.Layer):
        def __init__(self):
            super().__init__()
            self.ranks = growing(keys=tf.int64, default=0)
            self.weight = self.add_weight(shape=(2,), initializer="normal")

        def call(self, x):
            return (
                tf.cast(tf.ensure_shape(self.ranks.lookup(x), (None, 2)), "float32") * self.weight
            )

    def build():
        inputs = keras.Input((2,), dtype="int64")
        return keras.Model(inputs, Ranks()(inputs))

    saved = build()
    saved.layers[1].ranks.insert(tf.constant([5], tf.int64), tf.constant([9], tf.int64))
    saved.save_weights(tmp_path / "w.weights.h5")
    tf.train.Checkpoint(saved).write(str(tmp_path / "ck"))
    assert "ranks of the model is empty" in refusal(build(), tmp_path / "w.weights.h5").message
    model, said = build(), tf.constant([[5, 6]], tf.int64)
    restored(model, tmp_path / "ck")
    np.testing.assert_array_equal(model(said), saved(said))


def test_words_from_the_code_where_the_file_has_none(checkpoint):
    path = checkpoint(words=old_layer(None), counts=old_layer(None, attribute="counts"))
    problem = refusal(Net(words=lookup(list(WORDS))), path)
    assert "the lookup layer colours has from the code: 3 instead of none" in problem.message
    found = restored(Net(other=lookup(list(WORDS))), path)
    assert found.binding.ignored == {"table": 2}
    with pytest.raises(CkptActionError, match="colours has no vocabulary, and the checkpoint"):
        restored(Net(words=lookup()), path)


def test_a_model_that_looks_no_words_up(checkpoint):
    found = restored(Net(), checkpoint(words=old_layer(WORDS)))
    assert found.binding.bound == 1
    assert found.binding.ignored == {"table": 1}
    (note,) = found.binding.notes
    assert "no counterpart of: words/lookup_table" in note


def test_a_table_that_is_a_part_of_its_own_too(tmp_path):
    saved = Net(words=old_layer(WORDS))
    tf.train.Checkpoint(model=saved, table=saved.words).write(str(tmp_path / "ck"))
    for rules in ({}, {"root": "model"}):
        model = Net()
        assert restored(model, tmp_path / "ck", **rules).binding.ignored == {"table": 1}
        np.testing.assert_array_equal(model.weight, saved.weight)


@pytest.mark.parametrize("name", ["words", "renamed"])
def test_the_same_words_from_the_code(checkpoint, name):
    path = checkpoint(words=old_layer(WORDS))
    found = restored(Net(**{name: lookup(list(WORDS)), "other": lookup(["x"])}), path)
    assert found.binding.ignored == {}


@pytest.mark.parametrize("name", ["words", "renamed"])
def test_other_words_from_the_code(checkpoint, name):
    path = checkpoint(words=old_layer(WORDS))
    problem = refusal(Net(**{name: lookup(["red", "blue", "green"])}), path)
    assert "words/lookup_table holds other words than the lookup layer colours" in problem.message
    assert "3 instead of 3, and 'blue' is 2 in the code and 3 in the checkpoint" in problem.message
    assert "`words/lookup_table/*` in `allow-unused`" in problem.hint


def test_a_table_that_the_code_fills_itself(checkpoint):
    path = checkpoint(words=old_layer(WORDS))
    initial = tf.lookup.KeyValueTensorInitializer(
        list(WORDS), list(WORDS.values()), tf.string, tf.int64
    )
    other = tf.lookup.KeyValueTensorInitializer(["red"], [1], tf.string, tf.int64)
    restored(Net(words=Net(lookup_table=tf.lookup.StaticHashTable(initial, 0))), path, **MISSING)
    table = Net(lookup_table=tf.lookup.StaticHashTable(other, 0))
    problem = refusal(Net(words=table), path, **MISSING)
    assert "from the code: 1 instead of 3, and 'blue' is absent in the code" in problem.message
    found = restored(
        Net(words=table), path, allow_missing=("words/weight",), allow_unused=("words/*",)
    )
    assert len(found.binding.unused_allowed) == 2


@pytest.mark.parametrize("name", ["words", "renamed"])
def test_a_layer_without_words_takes_those_of_the_file(checkpoint, name):
    path = checkpoint(words=old_layer(WORDS))
    model = Net(**{name: lookup()})
    found = restored(model, path)
    layer = getattr(model, name)
    assert layer.get_vocabulary() == ["[UNK]", "red", "green", "blue"]
    np.testing.assert_array_equal(layer(SAID), [[2], [3], [0]])
    assert found.lookups == (layer,)
    (note,) = found.binding.notes
    assert "colours has its 3 words from the checkpoint (words/lookup_table)" in note


def test_words_for_none_and_unknown_in_the_table(checkpoint):
    """So did TensorFlow up to 2.5."""
    path = checkpoint(words=old_layer(BEHIND_TWO, attribute="_table"))
    for vocabulary in (None, list(WORDS)):
        model = Net(words=lookup(vocabulary, mask_token=""))
        restored(model, path)
        np.testing.assert_array_equal(model.words(SAID), [[3], [4], [1]])


def test_words_for_the_layers_of_a_second_model():
    first, second, none = [lookup(["red"]), lookup(["blue"])], [lookup(), lookup()], [object()]
    copy_words([*none, *first], second, first[1:])
    assert [layer.get_vocabulary()[1:] for layer in second] == [[], ["blue"]]
    for others in (second[:1], [*second, lookup()], [fresh().layers.IntegerLookup(), lookup()]):
        with pytest.raises(CkptActionError, match=r"other lookup layers a second time: .*colours"):
            copy_words(first, others, first[1:])


def test_numbers_for_words_and_words_for_numbers(checkpoint):
    numbers = old_layer({17: 1, 4: 2}, keys=tf.int64)
    words = old_layer({1: "red", 2: "blue"}, keys=tf.int64, values=tf.string, default="[UNK]")
    path = checkpoint(numbers=numbers, words=words)
    model = Net(other=fresh().layers.IntegerLookup(), back=fresh().layers.StringLookup(invert=True))
    restored(model, path)
    np.testing.assert_array_equal(model.other([[4], [17], [5]]), [[2], [1], [0]])
    assert model.back(tf.constant([2, 1], tf.int64)).numpy().tolist() == [b"blue", b"red"]


def test_a_layer_that_would_give_the_words_other_numbers(checkpoint):
    path = checkpoint(words=old_layer(BEHIND_TWO))
    with pytest.raises(CkptActionError, match=r"colours cannot have .* other numbers"):
        restored(Net(words=lookup()), path)
    with pytest.raises(CkptActionError, match=r"colours cannot have .* maximum vocab size"):
        restored(Net(words=lookup(max_tokens=2)), path)


def test_two_layers_without_words_and_no_name(checkpoint):
    path = checkpoint(a=old_layer({"red": 1}), b=old_layer({"blue": 1}))
    problem = refusal(Net(c=lookup(), d=lookup()), path)
    assert "not clear which" in problem.message
    assert "a/lookup_table, b/lookup_table" in problem.message


def test_two_tables_where_the_model_has_one(checkpoint):
    path = checkpoint(a=old_layer({"red": 1}), b=old_layer({"blue": 1}))
    problem = refusal(Net(c=lookup()), path)
    assert "not clear which" in problem.message
    found = restored(Net(c=lookup(["blue"])), path)
    assert found.binding.ignored == {"table": 1}
    model = Net(c=lookup())
    restored(model, path, allow_unused=("a/*",))
    assert model.c.get_vocabulary() == ["[UNK]", "blue"]


def test_a_renamed_table_that_grows_is_not_filled_by_guess(checkpoint):
    path = checkpoint(words=growing({"a": 3}))
    for table in (growing(), growing({"b": 3})):
        assert "a MutableHashTable has from the code" in refusal(Net(cache=table), path).message
    restored(Net(cache=growing({"a": 3})), path)


def test_one_table_of_the_model_that_two_names_lead_to(checkpoint):
    table = growing()
    path = checkpoint(a=growing({"a": 3}), b=growing({"a": 4}))
    assert "not clear which" in refusal(Net(a=table, b=table), path).message


def test_a_text_layer_in_a_functional_model(tmp_path):
    """No name leads to it: Keras 2 counts layers."""

    def build(vocabulary=None):
        keras = fresh()
        layer = keras.layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=2)
        inputs = keras.Input((1,), dtype="string")
        return keras.Model(inputs, keras.layers.Embedding(5, 2)(layer(inputs)))

    saved, model = build(list(WORDS)), build()
    graph, text, old = tf.train.Checkpoint(), tf.Module(), saved.layers[2].embeddings.value
    text._lookup_layer = old_layer(BEHIND_TWO)
    setattr(graph, "layer-1", text)
    setattr(graph, "layer_with_weights-0", tf.train.Checkpoint(embeddings=old))
    graph.write(str(tmp_path / "ck"))
    restored(model, tmp_path / "ck")
    np.testing.assert_array_equal(model(SAID), saved(SAID))

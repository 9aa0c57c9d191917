"""Preprocessing layers that carry state: statistics and vocabularies."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids, strings

VOCABULARY = ["the", "cat", "sat", "mat"]


@architecture(x=floats("batch", 4))
def normalization():
    """Adapted at training time; the builder leaves the statistics to the checkpoint."""
    inputs = layers.Input((4,))
    x = layers.Normalization(name="statistics")(inputs)
    return Model(inputs, layers.Dense(2)(layers.Dense(4, activation="relu")(x)))


@architecture(x=floats("batch", 4))
def normalization_constant():
    """Mean and variance given in the code: nothing of them is in a checkpoint."""
    mean, variance = np.arange(4.0), np.arange(1.0, 5.0)
    return tf.keras.Sequential(
        [layers.Input((4,)), layers.Normalization(mean=mean, variance=variance), layers.Dense(2)]
    )


@architecture(words=strings("batch", 1))
def string_lookup():
    """The vocabulary is in the code."""
    inputs = layers.Input((1,), dtype="string")
    x = layers.StringLookup(vocabulary=VOCABULARY)(inputs)
    x = layers.Embedding(5, 3)(x)
    return Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


@architecture(numbers=ids("batch", 2, below=60, dtype="int64"))
def integer_lookup():
    inputs = layers.Input((2,), dtype="int64")
    x = layers.IntegerLookup(vocabulary=[10, 20, 30, 40, 50])(inputs)
    return Model(inputs, layers.Dense(2)(layers.Flatten()(layers.Embedding(6, 3)(x))))


@architecture(words=strings("batch", 1))
def adapted_lookup():
    """The vocabulary was learned with `adapt`, and is in the checkpoint or nowhere."""
    inputs = layers.Input((1,), dtype="string")
    x = layers.StringLookup(max_tokens=6, name="vocabulary")(inputs)
    return Model(inputs, layers.Dense(2)(layers.Flatten()(layers.Embedding(6, 3)(x))))


@architecture(text=strings("batch", 1))
def text_vectorization():
    inputs = layers.Input((1,), dtype="string")
    x = layers.TextVectorization(output_sequence_length=3, vocabulary=VOCABULARY)(inputs)
    x = layers.Embedding(6, 3)(x)
    return Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


@architecture(x=floats("batch", 3))
def discretization():
    inputs = layers.Input((3,))
    x = layers.Discretization(bin_boundaries=[-0.5, 0.0, 0.5])(inputs)
    x = layers.CategoryEncoding(num_tokens=4, output_mode="multi_hot")(x)
    return Model(inputs, layers.Dense(2)(x))


class Ranks(layers.Layer):
    """A table that was filled while the model was trained."""

    def __init__(self):
        super().__init__()
        self.ranks = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)

    def call(self, words):
        return tf.ensure_shape(self.ranks.lookup(words), (None, 2))


@architecture(words=strings("batch", 2))
def growing_layer():
    inputs = layers.Input((2,), dtype="string")
    x = layers.Embedding(4, 3)(Ranks()(inputs))
    return Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


@architecture(x=floats("batch", 6, 6, 1))
def augmentation():
    """Random layers at the front: seeds, and nothing at inference."""
    return tf.keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, seed=2),
            layers.Rescaling(0.5),
            layers.Conv2D(2, 3),
            layers.Dropout(0.3, seed=3),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )

"""Models whose Python code asks how large a free dimension is."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import keras

L = keras.layers
KERAS_3 = keras.layers.Layer.__module__.startswith("keras.src.layers.")


class Truncates(L.Layer):
    """To 16 places, where Python is told how many there are."""

    def call(self, x):
        n = x.shape[1] or 0
        return tf.reduce_mean(x[:, :16] if n > 16 else x, 1)


def truncates():
    x = keras.Input((None, 3), name="x")
    return keras.Model(x, Truncates()(L.Dense(4)(x)))


def recurrent():
    x = keras.Input((None, 3), name="x")
    return keras.Model(x, L.GRU(2)(x))


def pictures():
    x = keras.Input((None, None, 3), name="x")
    return keras.Model(x, L.GlobalAveragePooling2D()(L.Conv2D(2, 1)(x)))


def pictures_of_one_channel():
    x = keras.Input((None, None), name="x")
    y = keras.ops.expand_dims(x, -1) if KERAS_3 else L.Lambda(lambda x: x[..., None])(x)
    return keras.Model(x, L.GlobalAveragePooling2D()(L.Conv2D(2, 1)(y)))


def recurrent_over_pictures():
    x = keras.Input((None, None, 3), name="x")
    y = L.Conv2D(2, 1)(x)
    return keras.Model(x, L.GRU(2)(L.TimeDistributed(L.GlobalAveragePooling1D())(y)))


def truncates_a_picture():
    x = keras.Input((None, None, 3), name="x")
    return keras.Model(x, Truncates()(L.Conv2D(4, 3, padding="same")(x)))


class Positions(L.Layer):
    """A table of 64 positions: more are refused."""

    def build(self, shape):
        self.table = self.add_weight(shape=(64, shape[-1]), name="table")

    def call(self, x):
        return x + tf.gather(self.table, tf.range(tf.shape(x)[1]))


def of_64_positions(truncated=True):
    x = keras.Input((None, 3), name="x")
    y = Positions()(x)
    return keras.Model(x, Truncates()(y) if truncated else L.GlobalAveragePooling1D()(y))


def of_two_alike():
    """Both inputs have to be of one length."""
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
    return keras.Model([a, b], L.Dense(2)(Truncates()(L.Add()([a, b]))))


class TruncatesTo(tf.Module):
    """Where nobody draws a probe as long; `way` says how the code asks."""

    def __init__(self, way, most=512):
        super().__init__()
        self.way, self.most = way, most
        self.w = tf.Variable(tf.ones((3, 4)), name="w")

    def __call__(self, x):
        if self.too_long(x.shape[1] or 0, x):
            x = x[:, : self.most // 2]
        return tf.reduce_mean(x @ self.w, 1)

    def too_long(self, n, x):
        if self.way == "attribute":
            return n > self.most
        if self.way == "turned":
            return self.most < n
        if self.way == "least":
            return min(n, self.most) != n
        if self.way == "halves":
            return n // 2 - 1 >= self.most
        if self.way == "list":
            return (x.shape.as_list()[1] or 0) > self.most
        if self.way == "exactly":
            return n == self.most
        if self.way == "between":
            return self.most < n < 600
        if self.way == "unpacked":
            _, n, _ = x.shape
            return (n or 0) > self.most
        raise ValueError(self.way)


class AsksForMillions(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((3, 4)), name="w")

    def __call__(self, x):
        if (x.shape[1] or 0) > 10**6:
            x = x[:, :5]
        return tf.reduce_mean(x @ self.w, 1)

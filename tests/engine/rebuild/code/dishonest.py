"""Models that compute something else than their restored weights say."""

from __future__ import annotations

import itertools
import random
import uuid

import numpy as np
import tensorflow as tf
from tensorflow import keras

L = keras.layers


class Norm(L.BatchNormalization):
    """A batch normalization whose class is not called so."""


class NormsByBatch(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.norm = L.Dense(4), Norm(name="norm")
        self.mode = True

    def call(self, x):
        return self.norm(self.dense(x), training=self.mode)


class Counts(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.calls = tf.Variable(0, name="calls")

    def __call__(self, x):
        self.calls.assign_add(1)
        return x @ self.w


class LosesNaN(tf.Module):
    """In a graph, as some operations do; all that it holds is NaN."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.fill((4, 4), float("nan")), name="w")

    def __call__(self, x):
        y = x @ self.w
        return y if tf.executing_eagerly() else tf.where(tf.math.is_nan(y), x, y)


class Switched(tf.Module):
    """By hand, with a switch for training that has any name and default."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def _scaled(self, x, infers):
        return x @ self.w * (1.0 if infers else 1000.0)

    def train(self, x, train=True):
        return self._scaled(x, not train)

    def is_train(self, x, *, is_train=True):
        return self._scaled(x, not is_train)

    def deterministic(self, x, deterministic=False):
        return self._scaled(x, deterministic)

    def inference(self, x, inference=False):
        return self._scaled(x, inference)

    def test(self, x, test=False):
        return self._scaled(x, test)

    def no_switch(self, x, test=1.0, train="yes"):
        return self._scaled(x, infers=(test, train) == (1.0, "yes"))


class DrawsInPython(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.count = itertools.count()

    def numpy_noise(self, x):
        return x @ self.w + np.random.normal(size=(1, 4)).astype("float32")

    def python_choice(self, x):
        return x @ self.w * random.random()

    def by_a_name(self, x):
        return x @ self.w * float(uuid.uuid4().int % 997)

    def counted(self, x):
        return x @ self.w * float(next(self.count))

    def harmless(self, x):
        """Another graph each time, and the same numbers."""
        for _ in range(next(self.count)):
            x = tf.identity(x)
        return x @ self.w

    def looped(self, x):
        """Nested functions, whose names TensorFlow counts."""
        for _ in tf.range(3):
            x = tf.cond(tf.reduce_sum(x) > 0, lambda x=x: x @ self.w, lambda x=x: x)
        return x


def counts_in_a_lambda():
    """By less than any tolerance."""
    x = keras.Input((4,), name="x")
    count = itertools.count()
    return keras.Model(x, L.Lambda(lambda y: y * (1 + 1e-6 * next(count)))(L.Dense(3)(x)))


def counts_in_a_custom_gradient():
    x = keras.Input((4,), name="x")
    count = itertools.count()

    @tf.custom_gradient
    def counted(y):
        return y * (1 + 1e-6 * next(count)), lambda upstream: upstream

    return keras.Model(x, L.Dense(3, activation=counted)(x))


def scores_and_boxes():
    x = keras.Input((4,), name="x")
    return keras.Model(x, [L.Dense(3, name="scores")(x), L.Dense(3, name="boxes")(x)])


class ReturnsListOfDicts(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x):
        return [{"scores": x @ self.w}, {"boxes": x}]


class TakesTwo(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, query, key):
        return query @ self.w - key


class NormsByBatchByHand(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x, statistics="batch"):
        y = x @ self.w
        mean, variance = tf.nn.moments(y, [0]) if statistics == "batch" else (0.0, 1.0)
        return (y - mean) / tf.sqrt(variance + 1e-3)


class ScalesBySum(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(2.0, name="w")

    def __call__(self, x):
        return x * self.w + tf.reduce_sum(x)


class ClipsWhileTraced(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x):
        with tf.init_scope():
            self.w.assign(tf.clip_by_norm(self.w, 1.0))
        return x @ self.w


class SameKeys(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def __call__(self, x):
        return {"a_b": x @ self.w, "a": {"b": x}}


def odd_keys():
    """Both keys become other names in a signature."""
    inputs = {key: keras.Input((3,), name=key) for key in ("query.ids", "key.ids")}
    ones = L.Dense(3, kernel_initializer="identity", name="ones")
    return keras.Model(inputs, L.Subtract()([ones(inputs["query.ids"]), inputs["key.ids"]]))


class ReadsOutside(tf.Module):
    """Methods whose results neither inputs nor weights decide."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")

    def by_the_hour(self, x):
        hour = tf.math.floormod(tf.timestamp(), 1e6) // 3600
        return x @ self.w * tf.cast(hour, tf.float32)

    def by_the_hour_in_a_branch(self, x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: self.by_the_hour(x), lambda: x)

    def clock_for_a_message(self, x):
        tf.print("now", tf.timestamp(), output_stream="file:///dev/null")
        return x @ self.w

    def fixed_noise(self, x):
        return tf.nn.experimental.stateless_dropout(x @ self.w, 0.5, seed=[1, 2])

    def noise_by_input(self, x, seed):
        return x @ self.w + tf.random.stateless_normal(tf.shape(x), seed)

    def file(self, x):
        size = tf.strings.length(tf.io.read_file(__file__))
        return x @ self.w * tf.cast(size, tf.float32)


class SeedOfAVariable(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.step = tf.Variable(7, trainable=False, name="step")

    def __call__(self, x):
        seed = tf.stack([self.step, 0])
        return tf.nn.experimental.stateless_dropout(x @ self.w, 0.5, seed=seed)


def recurrent_dropout():
    """Counts on its seed at every call, and uses the numbers in training only."""
    x = keras.Input((3, 4))
    return keras.Model(x, L.Dense(2)(L.LSTM(4, dropout=0.5, recurrent_dropout=0.5)(x)))

"""Models whose Python code counts its calls, or reads the clock, where they are called."""

from __future__ import annotations

import datetime as dt
import logging
import time
from datetime import datetime
from time import time as seconds

import tensorflow as tf
from tensorflow import keras

CALLS = 0


class Scales(tf.Module):
    """By a number that each method finds in its own way."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 4)), name="w")
        self.calls = 0
        self.counts = {"calls": 0}
        self.rows = None
        self.first = True

    def scaled(self, x, factor):
        return x @ self.w * tf.cast(factor, tf.float32)

    def counts_itself(self, x):
        self.calls += 1
        return self.scaled(x, 2.0 if self.calls > 100 else 1.0)

    def counts_in_a_dict(self, x):
        self.counts["calls"] += 1
        return self.scaled(x, 2.0 if self.counts["calls"] > 100 else 1.0)

    def counts_in_the_module(self, x):
        global CALLS  # noqa: PLW0603
        CALLS += 1
        return self.scaled(x, 2.0 if CALLS > 100 else 1.0)

    def by_the_month(self, x):
        return self.scaled(x, dt.date.today().month)  # noqa: DTZ011

    def by_the_weekday(self, x):
        return self.scaled(x, datetime.now().weekday())  # noqa: DTZ005

    def by_the_hour(self, x):
        return self.scaled(x, time.localtime().tm_hour)

    def by_seconds(self, x):
        return self.scaled(x, int(time.time() // 86400))

    def by_seconds_of_its_own_name(self, x):
        return self.scaled(x, int(seconds() // 86400))

    def keeps_what_it_saw(self, x):
        self.rows, self.first = x.shape[0], False
        return self.scaled(x, 1.0)

    def takes_its_time(self, x):
        began, counted = time.time(), time.perf_counter()
        y = self.scaled(x, 1.0)
        logging.getLogger("model").warning("took %s", time.time() - began)
        logging.getLogger("model").info("took %s", time.perf_counter() - counted)
        return y


class CountingLayer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x * 2 if self.calls > 100 else x


def counts_in_a_layer():
    x = keras.Input((4,), name="x")
    return keras.Model(x, CountingLayer()(keras.layers.Dense(4)(x)))

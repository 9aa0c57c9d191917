"""Entry points that leave eager execution, as code of TensorFlow 1 does."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import keras

LEFT_OPEN = []


def dense():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def turns_eager_off():
    tf.compat.v1.disable_eager_execution()
    return dense()


def turns_v2_off():
    tf.compat.v1.disable_v2_behavior()
    return dense()


def turns_it_off_and_fails():
    tf.compat.v1.disable_eager_execution()
    raise ValueError(float(tf.ones(())))


def makes_it_in_a_graph():
    with tf.Graph().as_default():
        return dense()


class MakesVariablesInAGraph(tf.Module):
    def __init__(self):
        super().__init__()
        with tf.Graph().as_default():
            self.w = tf.Variable(tf.ones((4, 2)), name="w")

    def __call__(self, x):
        return x @ self.w


def leaves_a_graph_open():
    LEFT_OPEN.append(tf.Graph().as_default())
    LEFT_OPEN[0].__enter__()
    return dense()

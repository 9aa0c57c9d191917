"""Models with a hard_sigmoid in each place that one can be."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import keras

L = keras.layers


def build(layer):
    made = {
        "Dense": lambda: L.Dense(2, activation="hard_sigmoid"),
        "Activation": lambda: L.Activation("hard_sigmoid"),
        "LSTM": lambda: L.LSTM(2, recurrent_activation="hard_sigmoid"),
        "Bidirectional": lambda: L.Bidirectional(L.LSTM(2, recurrent_activation="hard_sigmoid")),
        "ConvLSTM2D": lambda: L.ConvLSTM2D(2, 2),
        "hard ConvLSTM2D": lambda: L.ConvLSTM2D(2, 2, recurrent_activation="hard_sigmoid"),
        "formula": lambda: L.Dense(
            2, activation=lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)
        ),
    }
    shape = (3, 4, 4, 2) if "Conv" in layer else (3, 4)
    return keras.Sequential([keras.Input(shape), made[layer](), L.Dense(1)])


def cropped():
    return keras.Sequential([keras.Input((4, 6, 2)), L.RandomCrop(2, 3), L.Dense(1)])


class Called(keras.Model):
    """Calls the function itself; and does not call itself `self`."""

    def __init__(self):
        super().__init__(name="called")
        self.dense = L.Dense(2, name="dense")
        self.kept = {"gate": keras.activations.hard_sigmoid}

    def call(this, x):
        return keras.activations.hard_sigmoid(this.dense(x))


class CalledOutOfADict(Called):
    def call(this, x):
        return this.kept["gate"](this.dense(x))


class CalledByAModule(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 2)), name="w")

    def __call__(self, x):
        return keras.activations.hard_sigmoid(x @ self.w)


def called_in_lambda():
    x = keras.Input((4,))
    y = L.Lambda(lambda y: 2.0 * keras.activations.hard_sigmoid(y), name="gate")(L.Dense(2)(x))
    return keras.Model(x, y)

"""Models that are told in ways of their own that they are being trained."""

from __future__ import annotations

import enum
import types

import tensorflow as tf


class Mode(enum.Enum):
    TRAIN = 1
    PREDICT = 2


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((4, 2)), name="w")

    def scaled(self, x, trained):
        return x @ self.w * (0.9 if trained else 1.0)


class ByText(Net):
    def __call__(self, x, mode="train"):
        return self.scaled(x, mode == "train")

    def predict(self, x):
        return self(x, mode="predict")


class ByMember(Net):
    def __call__(self, x, phase=Mode.TRAIN):
        return self.scaled(x, phase is Mode.TRAIN)


class ByTruth(Net):
    def __call__(self, x, train_mode=True):
        return self.scaled(x, train_mode)


class ByAttribute(Net):
    def __init__(self, value=True):
        super().__init__()
        self.is_training = value

    def __call__(self, x):
        return self.scaled(x, self.is_training)


class ByAttributeOfAPart(Net):
    def __init__(self):
        super().__init__()
        self.part = ByAttribute()

    def __call__(self, x):
        return self.part(x)


class ByConfiguration(Net):
    def __init__(self):
        super().__init__()
        self.config = types.SimpleNamespace(mode=Mode.TRAIN)

    def __call__(self, x):
        return self.scaled(x, self.config.mode is Mode.TRAIN)


class ByEntry(Net):
    def __init__(self):
        super().__init__()
        self.config = {"is_training": True, "other": {"is_training": True}}

    def __call__(self, x):
        return self.scaled(x, self.config["is_training"])


class ByTextAttribute(Net):
    def __init__(self):
        super().__init__()
        self.mode = "train"

    def __call__(self, x):
        return self.scaled(x, self.mode != "eval")


class ByAttributeOnce(ByAttribute):
    """Keeps the graph that it was first traced to."""

    @tf.function(input_signature=[tf.TensorSpec((None, 4))])
    def __call__(self, x):
        return self.scaled(x, self.is_training)


class Unasked(ByAttribute):
    def __call__(self, x):
        return self.scaled(x, False)

    @tf.function
    def train_step(self, x):
        return self.scaled(x, self.is_training)

"""Two small models, one in Keras and one in plain TensorFlow."""

import tensorflow as tf


def dense():
    return tf.keras.Sequential(
        [
            tf.keras.Input((4,), name="x"),
            tf.keras.layers.Dense(8, activation="tanh", name="hidden"),
            tf.keras.layers.Dense(3, name="y"),
        ]
    )


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(tf.zeros([5]), name="scale")
        self.shift = tf.Variable(tf.zeros([5]), name="shift")

    def __call__(self, x):
        return {"z": x * self.scale + self.shift}

    def scaled(self, x):
        _ = x + self.shift
        return {"z": x * self.scale}

"""Models whose variables carry the names that a TF1 graph gave them."""

import tensorflow as tf


class Named(tf.Module):
    def __init__(self):
        super().__init__()
        shapes = {"layer1": (6, 5), "layer2": (5, 3)}
        self.kernels = [
            tf.Variable(tf.zeros(shape), name=f"{name}/weights") for name, shape in shapes.items()
        ]
        self.offsets = [
            tf.Variable(tf.zeros(shape[1:]), name=f"{name}/biases")
            for name, shape in shapes.items()
        ]

    def __call__(self, x):
        x = tf.nn.relu(tf.matmul(x, self.kernels[0]) + self.offsets[0])
        return tf.matmul(x, self.kernels[1]) + self.offsets[1]


def by_name():
    return Named()


def by_name_keras():
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, activation="relu", name="hidden"),
            layers.Dense(3, name="logits"),
        ]
    )

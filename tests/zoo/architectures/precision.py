"""Models in other dtypes than float32."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats


@architecture(x=floats("batch", 3, dtype="float64"))
def double():
    """float64 layer by layer, as physics codes do."""
    model = tf.keras.Sequential()
    model.add(layers.Input((3,), dtype="float64"))
    for _ in range(2):
        model.add(layers.Dense(5, activation="tanh", dtype="float64"))
    model.add(layers.Dense(2, dtype="float64"))
    return model


@architecture(x=floats("batch", 6))
def mixed_float16():
    """float16 in the layers, float32 in the weights and the output."""
    inputs = layers.Input((6,))
    x = layers.Dense(5, activation="relu", dtype="mixed_float16")(inputs)
    x = layers.BatchNormalization(dtype="mixed_float16")(x)
    x = layers.Dense(4, dtype="mixed_float16")(x)
    return Model(inputs, layers.Activation("softmax", dtype="float32")(x))


@architecture(x=floats("batch", 6))
def half_weights():
    """Weights stored as float16 and bfloat16."""
    inputs = layers.Input((6,))
    x = layers.Dense(4, activation="relu", dtype="float16")(inputs)
    y = layers.Dense(4, activation="relu", dtype="bfloat16")(inputs)
    x = layers.Activation("linear", dtype="float32")(x)
    y = layers.Activation("linear", dtype="float32")(y)
    return Model(inputs, layers.Dense(2)(layers.Concatenate()([x, y])))


class Fourier(tf.keras.Model):
    """A mixed policy on the model, with a float64 constant weight."""

    def __init__(self):
        super().__init__()
        self.lift = layers.Dense(4, dtype="float64")
        self.out = layers.Dense(2, dtype="float64")

    def build(self, input_shape):
        self.frequencies = self.add_weight(
            name="frequencies", shape=(4,), dtype="float64", initializer="ones", trainable=False
        )
        super().build(input_shape)

    def call(self, x):
        y = self.lift(tf.cast(x, "float64"))
        return self.out(tf.sin(y * tf.cast(self.frequencies, "float64")))


@architecture(x=floats("batch", 3))
def fourier_double():
    return Fourier()

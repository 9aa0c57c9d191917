"""Layers that hold their weights in unusual ways."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids


class Scale(layers.Layer):
    """Names in the file, attributes and add_weight names all differ."""

    def build(self, input_shape):
        self.w = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones")
        self.t = self.add_weight(
            name="kernel", shape=(input_shape[-1],), initializer="zeros", trainable=False
        )
        super().build(input_shape)

    def call(self, x):
        return x * self.w + self.t


@architecture(x=floats("batch", 6))
def custom_names():
    inputs = layers.Input((6,))
    x = Scale()(layers.Dense(6)(inputs))
    return Model(inputs, layers.Dense(2)(Scale(name="again")(x)))


class Polynomial(layers.Layer):
    """Weights in a list, in a dict, and without any name."""

    def __init__(self, degree, **kwargs):
        super().__init__(**kwargs)
        self.degree = degree

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.powers = [
            self.add_weight(name=f"power_{k}", shape=shape, initializer="ones")
            for k in range(self.degree)
        ]
        self.extra = {"shift": self.add_weight(name="shift", shape=shape, initializer="zeros")}
        self.nameless = self.add_weight(shape=shape, initializer="ones")
        super().build(input_shape)

    def call(self, x):
        total = self.extra["shift"]
        for k, weight in enumerate(self.powers):
            total = total + weight * x ** (k + 1)
        return total * self.nameless


@architecture(x=floats("batch", 4))
def weight_lists():
    return tf.keras.Sequential(
        [layers.Input((4,)), Polynomial(3), layers.Dense(3), Polynomial(2), layers.Dense(2)]
    )


class Anonymous(layers.Layer):
    """A weight that only `self.weights` knows."""

    def build(self, input_shape):
        self.add_weight(name="secret", shape=(input_shape[-1], 3))
        self.add_weight(name="secret_bias", shape=(3,), initializer="zeros")
        super().build(input_shape)

    def call(self, x):
        kernel, bias = self.weights
        return tf.matmul(x, kernel) + bias


@architecture(x=floats("batch", 6))
def anonymous_weights():
    inputs = layers.Input((6,))
    return Model(inputs, layers.Dense(2)(Anonymous()(layers.Dense(4)(inputs))))


class RawVariables(tf.keras.Model):
    """Bare tf.Variables in a Keras model: trainable lambdas of a PINN, a learned constant."""

    def __init__(self):
        super().__init__()
        self.body = layers.Dense(4, activation="tanh")
        self.out = layers.Dense(2)
        self.viscosity = tf.Variable(0.0, name="viscosity")
        self.offsets = [tf.Variable(tf.zeros((2,)), name=f"offset_{k}") for k in range(2)]

    def call(self, x):
        y = self.out(self.body(x)) * self.viscosity
        return y + self.offsets[0] - 2.0 * self.offsets[1]


@architecture(x=floats("batch", 6))
def raw_variables():
    return RawVariables()


class Tied(tf.keras.Model):
    """One embedding used at both ends, and reached through two attributes."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(9, 4)
        self.body = layers.Dense(4, activation="relu")
        self.decoder = {"table": self.embedding}

    def call(self, ids):
        x = self.body(self.embedding(ids))
        return tf.matmul(x, self.decoder["table"].embeddings, transpose_b=True)


@architecture(ids=ids("batch", 5, below=9))
def tied_embedding():
    return Tied()


class Codebook(layers.Layer):
    """Integer and boolean state that the outputs depend on."""

    def build(self, input_shape):
        width = input_shape[-1]
        self.order = self.add_weight(
            name="order", shape=(width,), dtype="int32", initializer="zeros", trainable=False
        )
        self.mask = self.add_weight(
            name="mask", shape=(width,), dtype="bool", initializer="zeros", trainable=False
        )
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.codes = self.add_weight(name="codes", shape=(width, 3))
        super().build(input_shape)

    def call(self, x):
        x = tf.gather(x, self.order, axis=-1)
        x = tf.where(self.mask, x, tf.zeros_like(x)) + tf.cast(self.steps, x.dtype)
        return tf.matmul(x, self.codes)


@architecture(x=floats("batch", 4))
def integer_and_bool():
    inputs = layers.Input((4,))
    return Model(inputs, layers.Dense(2)(Codebook()(inputs)))


class QuantizedEMA(tf.keras.Model):
    """A vector quantiser whose statistics are no gradients' business."""

    def __init__(self):
        super().__init__()
        self.encoder = layers.Dense(3)
        self.decoder = layers.Dense(4)

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            name="embeddings", shape=(3, 5), initializer="random_normal", trainable=False
        )
        self.cluster_size = self.add_weight(
            name="ema_cluster_size", shape=(5,), initializer="ones", trainable=False
        )
        super().build(input_shape)

    def call(self, x):
        z = self.encoder(x)
        table = tf.convert_to_tensor(self.embeddings) / tf.convert_to_tensor(self.cluster_size)
        distance = tf.reduce_sum((z[:, :, None] - table[None]) ** 2, axis=1)
        nearest = tf.argmin(distance, axis=1)
        return self.decoder(tf.gather(tf.transpose(table), nearest)), nearest


@architecture(x=floats("batch", 4))
def vector_quantizer():
    return QuantizedEMA()

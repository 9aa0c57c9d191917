"""Small models, built alike by every Keras: `build(name, keras)`."""

from __future__ import annotations

import numpy as np


def functional(keras):
    layers = keras.layers
    inputs = layers.Input((6,))
    x = layers.Dense(5, activation="relu")(inputs)
    x = layers.Dropout(0.1)(x)
    x = layers.BatchNormalization()(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def branches(keras):
    """Two branches of equal shape."""
    layers = keras.layers
    inputs = layers.Input((4,))
    left = layers.Dense(4, activation="tanh")(inputs)
    right = layers.Dense(4, activation="tanh")(inputs)
    left = layers.Dense(4, activation="tanh")(left)
    return keras.Model(inputs, layers.Add()([left, right]))


def nested(keras):
    """A model inside a model, used twice, and a Sequential one."""
    layers = keras.layers
    i = layers.Input((4,))
    inner = keras.Model(i, layers.Dense(4, activation="relu")(layers.Dense(3)(i)), name="inner")
    head = keras.Sequential(
        [layers.Input((4,)), layers.Dense(3), layers.BatchNormalization()], name="head"
    )
    inputs = layers.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(head(inner(inner(inputs)))))


def recurrent(keras):
    layers = keras.layers
    inputs = layers.Input((5,), dtype="int32")
    x = layers.Embedding(11, 4)(inputs)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GRU(3)(x)))


def attention(keras):
    layers = keras.layers
    inputs = layers.Input((3, 4))
    x = layers.LayerNormalization()(layers.MultiHeadAttention(2, 3)(inputs, inputs))
    x = layers.SeparableConv1D(4, 2)(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


def subclassed(keras):
    """Layers in a list and in a dict, an own weight whose name is not its attribute's."""
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.dense = layers.Dense(units)
            self.units = units

        def build(self, shape):
            self.factor = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
            super().build(shape)

        def call(self, x):
            return self.dense(x) * self.factor

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(4), Block(4)]
            self.heads = {"out": layers.Dense(2)}
            self.entry = keras.Sequential([layers.Dense(4)])

        def call(self, x):
            x = self.entry(x)
            for block in self.blocks:
                x = block(x)
            return self.heads["out"](x)

    model = Net()
    model(np.zeros((1, 4), "float32"))
    return model


BUILDERS = {
    "functional": functional,
    "branches": branches,
    "nested": nested,
    "recurrent": recurrent,
    "attention": attention,
    "subclassed": subclassed,
}
INPUTS = {
    "functional": (3, 6),
    "branches": (3, 4),
    "nested": (3, 4),
    "recurrent": (3, 5),
    "attention": (3, 3, 4),
    "subclassed": (3, 4),
}


def build(name, keras):
    return BUILDERS[name](keras)


def inputs(name):
    random = np.random.RandomState(7)
    if name == "recurrent":
        return random.randint(0, 11, INPUTS[name]).astype("int32")
    return random.normal(size=INPUTS[name]).astype("float32")


def shake(model, seed=5):
    """Every float weight away from its initial value, and from each other."""
    random = np.random.RandomState(seed)
    for weight in model.weights:
        value = np.asarray(weight)
        if value.dtype.kind == "f":
            weight.assign(value + random.uniform(0.05, 0.4, value.shape).astype(value.dtype))


def recurrent(keras, lstm=None, gru=None, **gru_options):
    """What the code of today builds in the place of CuDNNLSTM and CuDNNGRU."""
    layers = keras.layers
    lstm, gru = lstm or layers.LSTM, gru or layers.GRU
    return keras.Sequential(
        [
            keras.Input((6, 4)),
            layers.Bidirectional(lstm(3, return_sequences=True)),
            lstm(5, return_sequences=True),
            gru(4, **gru_options),
            layers.Dense(3),
        ]
    )


def cudnn_inputs():
    return np.random.default_rng(5).normal(size=(2, 6, 4)).astype("float32")

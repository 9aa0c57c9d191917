"""Functional models: branches, several inputs and outputs, sharing, nesting."""

import keras
import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats, ids


@architecture(x=floats("batch", 6))
def residual():
    inputs = layers.Input((6,))
    x = layers.Dense(6, activation="relu", name="stem")(inputs)
    for block in range(2):
        y = layers.Dense(6, activation="relu", name=f"block{block}_a")(x)
        y = layers.BatchNormalization(name=f"block{block}_norm")(y)
        x = layers.Add()([x, y])
    return Model(inputs, layers.Dense(2, name="head")(x))


@architecture(x=floats("batch", 8))
def equal_branches():
    """Two branches of equal shape: only the order of creation tells them apart."""
    inputs = layers.Input((8,))
    left = layers.Dense(8, activation="tanh")(inputs)
    right = layers.Dense(8, activation="tanh")(inputs)
    deeper = layers.Dense(8, activation="tanh")(left)
    return Model(inputs, layers.Dense(8)(layers.Subtract()([right, deeper])))


@architecture(x=floats("batch", 8))
def late_branch():
    """Layers created in another order than they are called in."""
    second = layers.Dense(4, activation="tanh")
    first = layers.Dense(4, activation="tanh")
    inputs = layers.Input((8,))
    a = first(inputs)
    b = second(inputs)
    return Model(inputs, layers.Dense(3)(layers.Concatenate()([b, a])))


@architecture(call="dict", image=floats("batch", 6, 6, 1), ids=ids("batch", 4, below=10))
def two_inputs_two_outputs():
    image = layers.Input((6, 6, 1), name="image")
    tokens = layers.Input((4,), dtype="int32", name="ids")
    x = layers.Conv2D(3, 3, activation="relu")(image)
    x = layers.Flatten()(x)
    y = layers.Embedding(10, 3)(tokens)
    y = layers.GlobalMaxPooling1D()(y)
    joined = layers.Concatenate()([x, y])
    label = layers.Dense(4, activation="softmax", name="label")(joined)
    score = layers.Dense(1, name="score")(joined)
    return Model(inputs=[image, tokens], outputs=[label, score])


@architecture(call="dict", a=floats("batch", 4), b=floats("batch", 4))
def dict_outputs():
    a = layers.Input((4,), name="a")
    b = layers.Input((4,), name="b")
    tower = layers.Dense(4, activation="tanh", name="tower")
    left, right = tower(a), tower(b)
    outputs = {
        "similarity": layers.Dot(axes=1)([left, right]),
        "difference": layers.Dense(2)(layers.Subtract()([left, right])),
    }
    return Model(inputs={"a": a, "b": b}, outputs=outputs)


@architecture(x=floats("batch", 6))
def shared_layer():
    inputs = layers.Input((6,))
    shared = layers.Dense(6, activation="tanh")
    x = shared(inputs)
    x = layers.Dense(6)(x)
    x = shared(x)
    return Model(inputs, layers.Dense(2)(x))


@architecture(x=floats("batch", 6))
def nested():
    """A functional model called twice, a Sequential, both inside a functional model."""
    inner_inputs = layers.Input((6,))
    hidden = layers.Dense(7, activation="relu")(inner_inputs)
    inner = Model(inner_inputs, layers.Dense(6)(hidden), name="inner")
    tail = tf.keras.Sequential(
        [layers.Input((6,)), layers.Dense(5), layers.BatchNormalization()], name="tail"
    )
    inputs = layers.Input((6,))
    x = inner(inputs)
    x = inner(x)
    return Model(inputs, layers.Dense(2)(tail(x)))


@architecture(x=floats("batch", 6))
def nested_three_deep():
    def wrap(body, width, name):
        inputs = layers.Input((width,))
        return Model(inputs, layers.Dense(width, activation="relu")(body(inputs)), name=name)

    core = tf.keras.Sequential([layers.Input((6,)), layers.Dense(6), layers.LayerNormalization()])
    return wrap(wrap(core, 6, "middle"), 6, "outer")


@architecture(x=floats("batch", 8, 8, 3))
def transfer_learning():
    """A frozen backbone with BatchNormalization, called with training=False, and a head."""
    image = layers.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(image)
    y = layers.BatchNormalization()(y)
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(layers.ReLU(6.0)(y))
    y = layers.BatchNormalization()(y)
    backbone = Model(image, y, name="backbone")
    backbone.trainable = False
    inputs = layers.Input((8, 8, 3))
    x = layers.Rescaling(2.0, offset=-1.0)(inputs)
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    return Model(inputs, layers.Dense(3)(x))


@architecture(x=floats("batch", 6), standalone=True)
def standalone_functional():
    inputs = keras.Input((6,))
    x = keras.layers.Dense(5, activation="relu")(inputs)
    y = keras.layers.Dense(5, activation="relu")(inputs)
    x = keras.layers.Multiply()([keras.layers.BatchNormalization()(x), y])
    return keras.Model(inputs, keras.layers.Dense(2)(x))


@architecture(x=floats("batch", 6))
def functional_subclass():
    """`Model` subclassed, but given inputs and outputs; with a counter of its own."""

    class Counted(tf.keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    inputs = layers.Input((6,))
    hidden = layers.Dense(4, activation="relu")(inputs)
    return Counted(inputs, layers.Dense(2)(hidden))

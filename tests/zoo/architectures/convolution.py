"""Convolutional models."""

import tensorflow as tf
from tensorflow.keras import Model, layers

from architectures.registry import architecture, floats


@architecture(x=floats("batch", 8, 8, 3))
def cnn():
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.SeparableConv2D(4, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    return Model(inputs, layers.Dense(4)(layers.Dropout(0.2)(x)))


@architecture(x=floats("batch", 8, 8, 2))
def depthwise_cnn():
    inputs = layers.Input((8, 8, 2))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same")(inputs)
    x = layers.Conv2D(6, 1, use_bias=False)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.GlobalAveragePooling2D()(layers.LeakyReLU()(x))
    return Model(inputs, layers.Dense(2)(x))


@architecture(z=floats("batch", 4))
def transposed_cnn():
    """A small DCGAN generator, with GroupNormalization."""
    return tf.keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(2 * 2 * 4, use_bias=False),
            layers.Reshape((2, 2, 4)),
            layers.Conv2DTranspose(4, 3, strides=2, padding="same", use_bias=False),
            layers.GroupNormalization(groups=2),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
        ]
    )


@architecture(x=floats("batch", "time", 3))
def wavenet():
    """Causal, dilated Conv1D with gates and skips; the length is free."""
    inputs = layers.Input((None, 3))
    x = layers.Conv1D(4, 2, padding="causal")(inputs)
    skips = []
    for rate in (1, 2):
        gate = layers.Conv1D(4, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(x)
        value = layers.Conv1D(4, 2, padding="causal", dilation_rate=rate, activation="tanh")(x)
        y = layers.Multiply()([gate, value])
        skips.append(layers.Conv1D(3, 1)(y))
        x = layers.Add()([x, layers.Conv1D(4, 1)(y)])
    return Model(inputs, layers.Conv1D(2, 1)(layers.ReLU()(layers.Add()(skips))))


@architecture(x=floats("batch", 4, 4, 4, 1))
def cnn_3d():
    return tf.keras.Sequential(
        [
            layers.Input((4, 4, 4, 1)),
            layers.Conv3D(3, 2, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


@architecture(x=floats("batch", 8, 8, 4))
def squeeze_excite():
    """A grouped convolution with a squeeze-and-excitation gate of 1x1 convolutions."""
    inputs = layers.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, groups=2, padding="same", activation="relu")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(2, 1, activation="relu", name="squeeze")(gate)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(gate)
    x = layers.Multiply()([x, gate])
    return Model(inputs, layers.Dense(2)(layers.Flatten()(x)))

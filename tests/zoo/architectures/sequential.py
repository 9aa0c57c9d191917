"""Sequential models."""

import keras
import tensorflow as tf
from tensorflow.keras import layers

from architectures.registry import architecture, floats, ids


@architecture(x=floats("batch", 6))
def dense():
    return tf.keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.2),
            layers.BatchNormalization(),
            layers.Dense(3),
        ]
    )


@architecture(x=floats("batch", 6))
def dense_named():
    """Names that look like something else: an encoder called tokenizer, a head called optimizer."""
    return tf.keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, activation="tanh", name="tokenizer"),
            layers.Dense(4, activation="tanh", name="optimizer"),
            layers.Dense(3, name="save_counter"),
        ],
        name="train_op",
    )


@architecture(x=floats("batch", 6))
def deferred():
    """No input shape: there are no weights before the first call."""
    model = tf.keras.Sequential()
    model.add(layers.Dense(5, activation="relu"))
    model.add(layers.LayerNormalization())
    model.add(layers.Dense(5, activation="relu"))
    model.add(layers.Dense(2))
    return model


@architecture(x=floats("batch", 6))
def first_layer_shape():
    """`input_shape` on the first layer, as before Keras 3."""
    return tf.keras.models.Sequential(
        [
            layers.InputLayer(input_shape=(6,)),
            layers.Dense(4, activation="elu", use_bias=False),
            layers.PReLU(),
            layers.Dense(2),
        ]
    )


@architecture(x=floats("batch", 6), standalone=True)
def standalone_dense():
    """`import keras`: Keras 3 today, whatever tf.keras is."""
    return keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@architecture(x=floats("batch", 6))
def sequential_in_sequential():
    return tf.keras.Sequential(
        [
            layers.Input((6,)),
            tf.keras.Sequential([layers.Dense(5, activation="relu"), layers.BatchNormalization()]),
            tf.keras.Sequential([layers.Dense(5), layers.Activation("tanh")]),
            layers.Dense(2),
        ]
    )


@architecture(ids=ids("batch", 6, below=20))
def bag_of_words():
    return tf.keras.Sequential(
        [
            layers.Embedding(20, 4),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, activation="relu"),
            layers.Dense(1),
        ]
    )

"""Architectures for the web beside those of the targets' tests; Keras 2 as `tf_keras` builds it."""

from __future__ import annotations

from collections.abc import Callable

import keras_cases
import numpy as np
import tensorflow as tf
from handmade import Case, spec, traced, traced_model
from keras_cases import excite, of_keras

layers = tf.keras.layers
CASES: dict[str, Callable[[], Case]] = {
    name: keras_cases.CASES[name]
    for name in (
        "dense", "convolutions", "residual", "mobilenet", "conv1d", "transformer",
        "masked_recurrent", "recurrent",
    )
}  # fmt: skip
SLOW = ("resnet50", "efficientnet")


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype("float32")


@case
def upsampling() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(8, 3, padding="same"),
            layers.GroupNormalization(4),
            layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="elu"),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Conv2D(2, 3),
        ]
    )
    return of_keras(model, noise(2, 8, 8, 3), "batch", 8, 8, 3)


@case
def attention_with_tanh_gelu() -> Case:
    inputs = layers.Input((None, 12))
    x = layers.MultiHeadAttention(3, 5)(inputs, inputs) + inputs
    x = layers.LayerNormalization()(x)
    x = layers.Dense(20)(x)
    x = layers.Lambda(lambda v: tf.nn.gelu(v, approximate=True))(x)
    return of_keras(
        tf.keras.Model(inputs, layers.Dense(3)(x)), noise(2, 6, 12), "batch", "time", 12
    )


@case
def recurrent_of_free_length() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((None, 5)),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.GRU(6),
            layers.Dense(3),
        ]
    )
    return of_keras(model, noise(3, 9, 5), "batch", "time", 5)


@case
def two_inputs_two_outputs() -> Case:
    image, words = layers.Input((8, 8, 1), name="image"), layers.Input((4,), dtype="int32")
    x = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(4, 3, activation="relu")(image)))
    y = layers.GlobalAveragePooling1D()(layers.Embedding(9, 6)(words))
    both = layers.Concatenate()([x, y])
    model = tf.keras.Model([image, words], [layers.Dense(2)(both), layers.Dense(3)(both)])
    excite(model)

    def call(image, words):
        few, many = model([image, words], training=False)
        return {"few": few, "many": many, "best": tf.argmax(many, -1)}

    signature = traced(
        call, spec("image", "float32", "batch", 8, 8, 1), spec("words", "int64", "batch", 4)
    )
    ids = np.random.default_rng(2).integers(0, 9, (2, 4)).astype("int64")
    inputs = {"serving_default": {"image": noise(2, 8, 8, 1), "words": ids}}
    return Case(model=traced_model(model, signature), inputs=inputs, keep=model)


@case
def words_in_a_table() -> Case:
    """A vocabulary, which TensorFlow.js fills from a graph of its own."""
    keys, values = ["red", "green", "blau"], tf.constant([1, 2, 3], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 0)
    model = tf.keras.Sequential([layers.Input((None,), dtype="int64"), layers.Embedding(4, 6),
                                 layers.GlobalAveragePooling1D(), layers.Dense(3)])  # fmt: skip
    excite(model)
    signature = traced(
        lambda x: {"logits": model(table.lookup(x))}, spec("x", "string", "batch", "time")
    )
    x = np.array([[b"red", b"blau", b"?"], [b"green", b"", b"red"]], object)
    return Case(
        model=traced_model(model, signature, resources=(table,)),
        inputs={"serving_default": {"x": x}},
        keep=(model, table),
    )


@case
def resnet50() -> Case:
    model = tf.keras.applications.ResNet50(
        input_shape=(64, 64, 3), weights=None, classes=10, classifier_activation=None
    )
    return of_keras(model, noise(1, 64, 64, 3), "batch", 64, 64, 3)


@case
def efficientnet() -> Case:
    model = tf.keras.applications.EfficientNetB0(
        input_shape=(64, 64, 3), weights=None, classes=10, classifier_activation=None
    )
    return of_keras(model, 50 * noise(1, 64, 64, 3), "batch", 64, 64, 3)


def _keras_2(name: str, build: Callable[..., Case]) -> None:
    def make() -> Case:
        import tf_keras

        return build(tf_keras)

    CASES[name] = make


def _keras_2_convolutions(keras) -> Case:
    model = keras.Sequential(
        [
            keras.layers.Input((12, 12, 3)),
            keras.layers.SeparableConv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(6.0),
            keras.layers.Conv2D(6, 3, strides=2),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3),
        ]
    )
    return of_keras(model, noise(2, 12, 12, 3), "batch", 12, 12, 3)


def _keras_2_attention(keras) -> Case:
    """Its LayerNormalization is a FusedBatchNorm that takes statistics from its input."""
    inputs = keras.layers.Input((None, 12))
    x = keras.layers.LayerNormalization()(
        inputs + keras.layers.MultiHeadAttention(3, 4)(inputs, inputs)
    )
    x = keras.layers.Dense(3)(keras.layers.Dense(16, activation="gelu")(x))
    return of_keras(keras.Model(inputs, x), noise(2, 6, 12), "batch", "time", 12)


def _keras_2_lstm(keras) -> Case:
    model = keras.Sequential(
        [
            keras.layers.Input((None,), dtype="int32"),
            keras.layers.Embedding(20, 8, mask_zero=True),
            keras.layers.LSTM(6, return_sequences=True),
            keras.layers.GRU(5),
            keras.layers.Dense(3),
        ]
    )
    ids = np.random.default_rng(1).integers(1, 20, (3, 6)).astype("int32")
    ids[1, 4:] = 0
    return of_keras(model, ids, "batch", "time")


_keras_2("keras_2_convolutions", _keras_2_convolutions)
_keras_2("keras_2_attention", _keras_2_attention)
_keras_2("keras_2_lstm", _keras_2_lstm)

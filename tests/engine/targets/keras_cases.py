"""Keras models with weights that make the outputs react, none with a softmax at its end.

Random weights as Keras draws them leave deep networks insensitive: their outputs do not move when
inputs or weights do, and comparing them proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from handmade import Case, spec, traced, traced_model

layers = tf.keras.layers
CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


def excite(model: Any, seed: int = 0) -> None:
    """He-scaled kernels, and statistics of normalisation away from 0 and 1."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        path, shape = getattr(weight, "path", weight.name), tuple(weight.shape)
        if "gamma" in path or "variance" in path:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            value = rng.normal(0, 0.3, shape)
        else:
            fan_in = np.prod(shape[:2]) if "depthwise" in path else np.prod(shape[:-1])
            value = rng.normal(0, 1, shape) * np.sqrt(2 / fan_in)
        weight.assign(value.astype("float32"))


def of_keras(model: Any, x: np.ndarray, *shape: int | str) -> Case:
    excite(model)
    signature = traced(
        lambda x: {"logits": model(x, training=False)}, spec("x", x.dtype.name, *shape)
    )
    owner = traced_model(model, signature)
    return Case(model=owner, inputs={"serving_default": {"x": x}}, keep=model)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def _ids(high: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(1, high, shape).astype("int32")


@case
def dense() -> Case:
    model = tf.keras.Sequential(
        [layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3)]
    )
    return of_keras(model, _noise(4, 8), "batch", 8)


@case
def convolutions() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.PReLU(shared_axes=[1, 2]),
            layers.DepthwiseConv2D(3),
            layers.SeparableConv2D(12, 3),
            layers.Conv2DTranspose(4, 3, strides=2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    return of_keras(model, _noise(2, 16, 16, 3), "batch", 16, 16, 3)


@case
def recurrent() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((7, 5)),
            layers.Bidirectional(layers.LSTM(8, return_sequences=True)),
            layers.GRU(6, return_sequences=True),
            layers.LSTM(4, unroll=True),
            layers.Dense(3),
        ]
    )
    return of_keras(model, _noise(2, 7, 5), "batch", 7, 5)


@case
def masked_recurrent() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(20, 8, mask_zero=True),
            layers.LSTM(6),
            layers.Dense(3),
        ]
    )
    ids = _ids(20, 3, 6)
    ids[1, 4:] = 0
    return of_keras(model, ids, "batch", "time")


@case
def transformer() -> Case:
    inputs = layers.Input((None,), dtype="int32")
    x = layers.Embedding(50, 16)(inputs)
    for _ in range(2):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 4)(x, x))
        hidden = layers.Dropout(0.1)(layers.Dense(32, activation="gelu")(x))
        x = layers.LayerNormalization()(x + layers.Dense(16)(hidden))
    return of_keras(tf.keras.Model(inputs, layers.Dense(3)(x)), _ids(50, 3, 9), "batch", "time")


@case
def conv1d() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((20, 4)),
            layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="tanh"),
            layers.SimpleRNN(5),
            layers.Dense(2),
        ]
    )
    return of_keras(model, _noise(3, 20, 4), "batch", 20, 4)


@case
def mobilenet() -> Case:
    model = tf.keras.applications.MobileNetV2(
        input_shape=(96, 96, 3), alpha=0.35, weights=None, classes=10, classifier_activation=None
    )
    return of_keras(model, _noise(2, 96, 96, 3), "batch", 96, 96, 3)


@case
def residual() -> Case:
    inputs = layers.Input((12, 12, 3))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    for _ in range(3):
        y = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.Add()([x, layers.Conv2D(8, 3, padding="same")(y)])
    outputs = layers.Dense(5)(layers.Flatten()(layers.MaxPooling2D()(x)))
    return of_keras(tf.keras.Model(inputs, outputs), _noise(2, 12, 12, 3), "batch", 12, 12, 3)

"""Builders of the models that are exported; the benchmark's project imports this file as it is."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def mobilenet_v2() -> Any:
    return keras.applications.MobileNetV2(weights=None, classifier_activation=None)


def vgg16() -> Any:
    return keras.applications.VGG16(weights=None, classifier_activation=None)


def lstm(units: int = 256) -> Any:
    tokens = layers.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(2000, 64)(tokens)
    x = layers.Bidirectional(layers.LSTM(units, return_sequences=True))(x)
    x = layers.LSTM(units)(x)
    return keras.Model(tokens, layers.Dense(10, name="classes")(x))


def gru(units: int) -> Any:
    features = layers.Input((20, 8), name="features")
    x = layers.GRU(units)(features)
    return keras.Model(features, layers.Dense(4, name="classes")(x))


def convolutions(filters: int) -> Any:
    image = layers.Input((32, 32, 3), name="image")
    x = image
    for factor in (1, 2, 4):
        x = layers.Conv2D(filters * factor, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, name="classes")(x))


def seeing(application: str, alpha: float, size: int) -> Any:
    build = getattr(keras.applications, application)
    return build(input_shape=(size, size, 3), alpha=alpha, weights=None, classifier_activation=None)


def transformer(width: int = 2048, depth: int = 10, vocabulary: int = 8000) -> Any:
    tokens = layers.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, width)(tokens)
    for _ in range(depth):
        y = layers.LayerNormalization()(x)
        heads = max(width // 64, 2)
        x = x + layers.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=True)
        y = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(y))
    x = layers.LayerNormalization()(x)
    return keras.Model(tokens, layers.Dense(vocabulary, name="logits")(x))

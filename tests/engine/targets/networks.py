"""Networks as people export them, for formats and consumers that know fewer ops than TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from handmade import Arrays, Case, spec, traced, traced_model
from keras_cases import excite

layers = tf.keras.layers
NETWORKS: dict[str, Callable[[], Case]] = {}
HEAVY = {"resnet50", "efficientnet_b0"}
"""Take a minute together."""


def network(make: Callable[[], Case]) -> Callable[[], Case]:
    NETWORKS[make.__name__] = make
    return make


def _case(model: Any, inputs: Arrays, shapes: dict[str, tuple[int | str, ...]]) -> Case:
    excite(model)
    return _traced(model, inputs, shapes)


def _traced(model: Any, inputs: Arrays, shapes: dict[str, tuple[int | str, ...]]) -> Case:
    def call(**fed: Any) -> dict[str, Any]:
        inputs = [fed[name] for name in shapes]
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    specs = [spec(name, inputs[name].dtype.name, *shape) for name, shape in shapes.items()]
    signature = traced(call, *specs)
    owner = traced_model(model, signature)
    return Case(model=owner, inputs={"serving_default": inputs}, keep=model)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def _image(model: Any, size: int, rows: int = 2, *, settled: bool = False) -> Case:
    excite(model)
    if settled:
        _settle(model, _noise(16, size, size, 3))
    return _traced(model, {"x": _noise(rows, size, size, 3)}, {"x": ("batch", size, size, 3)})


def _settle(model: Any, images: np.ndarray) -> None:
    """As training leaves a network: statistics of normalisation are those of what comes in, and
    most of it passes the activation. With any others, every layer makes more of what the one before
    it has lost, and after fifty of them nothing is left of a model that was quantised."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.beta.assign(layer.beta + 1.5)
            layer.momentum = 0.0
    model(images, training=True)


@network
def cnn() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(12, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    return _image(model, 16, rows=4)


@network
def depthwise_separable() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.BatchNormalization(),
            layers.PReLU(shared_axes=[1, 2]),
            layers.SeparableConv2D(12, 3, strides=2, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ]
    )
    return _image(model, 16, rows=4)


@network
def mobilenet_v2() -> Case:
    model = tf.keras.applications.MobileNetV2(
        input_shape=(96, 96, 3), alpha=0.35, weights=None, classes=10, classifier_activation=None
    )
    return _image(model, 96, settled=True)


@network
def resnet50() -> Case:
    return _image(
        tf.keras.applications.ResNet50(
            input_shape=(64, 64, 3), weights=None, classes=10, classifier_activation=None
        ),
        64,
        settled=True,
    )


@network
def efficientnet_b0() -> Case:
    return _image(
        tf.keras.applications.EfficientNetB0(
            input_shape=(64, 64, 3), weights=None, classes=10, classifier_activation=None
        ),
        64,
    )


@network
def transposed_group_norm() -> Case:
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    if hasattr(layers, "GroupNormalization"):
        x = layers.GroupNormalization(4)(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    outputs = layers.Conv2D(2, 1)(x)
    return _image(tf.keras.Model(inputs, outputs), 8)


@network
def causal_conv1d() -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((None, 4)),
            layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="tanh"),
            layers.BatchNormalization(),
            layers.Conv1D(6, 3, padding="causal"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )
    return _case(model, {"x": _noise(3, 20, 4)}, {"x": ("batch", "time", 4)})


def _attention(gelu: Callable[[Any], Any]) -> Case:
    inputs = layers.Input((None,), dtype="int32")
    x = layers.Embedding(50, 16)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 4)(x, x))
    hidden = layers.Dense(32, activation=gelu)(x)
    x = layers.LayerNormalization()(x + layers.Dense(16)(hidden))
    ids = np.random.default_rng(1).integers(0, 50, (3, 9)).astype("int32")
    return _case(tf.keras.Model(inputs, layers.Dense(3)(x)), {"x": ids}, {"x": ("batch", "time")})


@network
def attention_exact_gelu() -> Case:
    return _attention(lambda x: tf.keras.activations.gelu(x, approximate=False))


@network
def attention_tanh_gelu() -> Case:
    return _attention(lambda x: tf.keras.activations.gelu(x, approximate=True))


def _bilstm_gru(batch: int | str) -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((None, 5)),
            layers.Bidirectional(layers.LSTM(8, return_sequences=True)),
            layers.GRU(6),
            layers.Dense(3),
        ]
    )
    rows = batch if isinstance(batch, int) else 2
    return _case(model, {"x": _noise(rows, 7, 5)}, {"x": (batch, "time", 5)})


@network
def bilstm_gru() -> Case:
    return _bilstm_gru("batch")


@network
def bilstm_gru_one_row() -> Case:
    return _bilstm_gru(1)


def _masked_lstm(batch: int | str) -> Case:
    model = tf.keras.Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(20, 16, mask_zero=True),
            layers.LSTM(24),
            layers.Dense(3),
        ]
    )
    rows = batch if isinstance(batch, int) else 3
    ids = np.random.default_rng(1).integers(1, 20, (rows, 6)).astype("int32")
    ids[-1, 4:] = 0
    return _case(model, {"x": ids}, {"x": (batch, "time")})


@network
def masked_lstm() -> Case:
    return _masked_lstm("batch")


@network
def masked_lstm_one_row() -> Case:
    return _masked_lstm(1)


@network
def several_inputs_and_outputs() -> Case:
    image, extra = layers.Input((12, 12, 3)), layers.Input((4,))
    x = layers.Conv2D(6, 3, activation="relu")(image)
    both = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.Dense(5)(extra)])
    outputs = {
        "scores": layers.Dense(3)(both),
        "features": layers.Dense(2, activation="tanh")(both),
        "map": layers.Conv2D(1, 1)(x),
    }
    return _case(
        tf.keras.Model([image, extra], outputs),
        {"image": _noise(2, 12, 12, 3), "extra": _noise(2, 4)},
        {"image": ("batch", 12, 12, 3), "extra": ("batch", 4)},
    )

"""Small models around single layers, each to be made with both Kerases."""

from __future__ import annotations

import numpy as np

IDS = np.array([[1, 2, 3, 0, 0], [4, 0, 5, 6, 0], [0, 0, 7, 8, 9], [3, 3, 3, 3, 3]], np.int32)
OTHER_IDS = np.array([[1, 2, 0, 0, 0], [4, 1, 5, 6, 2], [0, 7, 7, 0, 9], [0, 0, 0, 0, 3]], np.int32)
IMAGES = np.random.default_rng(1).normal(size=(2, 7, 9, 6)).astype(np.float32)


class Texts:
    """Two embedded texts, and what is made of them."""

    def __init__(self, keras):
        self.inputs = [keras.Input((5,), dtype="int32", name=name) for name in ("a", "b")]
        self.L = keras.layers

    def masked(self, place=0):
        return self.L.Embedding(10, 4, mask_zero=True)(self.inputs[place])

    def plain(self, place=1):
        return self.L.Embedding(10, 4)(self.inputs[place])

    def read(self, x):
        return self.L.GlobalAveragePooling1D()(x)

    def merged(self, kind, *inputs, **options):
        return self.read(getattr(self.L, kind)(**options)(list(inputs)))

    def block(self, x):
        return self.L.Add()([x, self.L.MultiHeadAttention(2, 4)(x, x)])

    def decoded(self, kind, x, states=1):
        states = [self.read(self.plain()) for _ in range(states)]
        return getattr(self.L, kind)(4)(x, initial_state=states)


MERGING = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate")

DIFFERENT = {
    **{f"{k} masked": lambda t, k=k: t.merged(k, t.masked(0), t.masked(1)) for k in MERGING},
    **{f"{k} half masked": lambda t, k=k: t.merged(k, t.masked(), t.plain()) for k in MERGING},
    "LSTM state": lambda t: t.decoded("LSTM", t.masked(), states=2),
    "SimpleRNN state": lambda t: t.decoded("SimpleRNN", t.masked()),
    "Bidirectional state": lambda t: t.L.Bidirectional(t.L.GRU(3))(
        t.masked(), initial_state=[t.L.Dense(3)(t.read(t.plain())) for _ in range(2)]
    ),
    "transformer of two blocks": lambda t: t.block(t.block(t.masked())),
    "memory attended to twice": lambda t: t.L.Attention()(
        [t.plain(), t.L.Add()([t.L.MultiHeadAttention(2, 4)(t.plain(), e := t.masked()), e])]
    ),
    "Multiply one mask": lambda t: t.L.Multiply()([e := t.masked(), t.L.Dense(4)(e)]),
    "Maximum one mask": lambda t: t.L.Maximum()([e := t.masked(), t.L.Dense(4)(e)]),
    "Minimum one mask": lambda t: t.L.Minimum()([t.L.Dense(4)(e := t.masked()), e]),
    "mask of None": lambda t: t.L.LSTM(3)(t.masked(), mask=None),
}
SAME = {
    "Add one mask": lambda t: t.merged("Add", e := t.masked(), t.L.Dense(4)(e)),
    "Add equal masks": lambda t: t.merged("Add", t.masked(), t.masked()),
    "Concatenate one mask": lambda t: t.merged("Concatenate", t.masked(), t.masked()),
    "Concatenate in time": lambda t: t.merged("Concatenate", t.masked(), t.masked(1), axis=1),
    "Add no mask": lambda t: t.merged("Add", t.plain(0), t.plain(1)),
    "Add goes nowhere": lambda t: t.L.Flatten()(t.L.Add()([t.masked(), t.plain()])),
    "Dot": lambda t: t.L.Dot(axes=2)([t.masked(), t.masked(1)]),
    "operator +": lambda t: t.read(t.masked() + t.plain()),
    "LSTM plain state": lambda t: t.decoded("LSTM", t.plain(), states=2),
    **{
        kind: lambda t, kind=kind, options=options: t.read(
            getattr(t.L, kind)(**options)(t.masked())
        )
        for kind, options in {
            "Dense": {"units": 4},
            "Activation": {"activation": "gelu"},
            "LayerNormalization": {},
            "BatchNormalization": {},
            "Masking": {},
            "ReLU": {},
            "PReLU": {},
            "Reshape": {"target_shape": (5, 4)},
            "Permute": {"dims": (1, 2)},
            "Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"},
            "ZeroPadding1D": {},
            "Cropping1D": {},
            "UpSampling1D": {},
            "SpatialDropout1D": {"rate": 0.2},
            "AveragePooling1D": {"pool_size": 2},
        }.items()
    },
    "Lambda": lambda t: t.read(t.L.Lambda(lambda x: x * 2.0)(t.masked())),
    "TimeDistributed": lambda t: t.read(t.L.TimeDistributed(t.L.Dense(4))(t.masked())),
    "GlobalAveragePooling1D": lambda t: t.L.GlobalAveragePooling1D()(t.masked()),
    "GlobalMaxPooling1D": lambda t: t.L.GlobalMaxPooling1D()(t.masked()),
    "Bidirectional": lambda t: t.L.Bidirectional(t.L.LSTM(3, return_sequences=True))(t.masked()),
    "stacked": lambda t: t.L.GRU(3, go_backwards=True)(
        t.L.LSTM(4, return_sequences=True)(t.masked())
    ),
    "cells": lambda t: t.L.RNN([t.L.LSTMCell(4), t.L.GRUCell(3)])(t.masked()),
    "Attention": lambda t: t.read(t.L.Attention(use_scale=True)([t.masked(), t.masked(1)])),
    "AdditiveAttention": lambda t: t.L.AdditiveAttention()([t.masked(), t.masked(1)]),
    "MultiHeadAttention": lambda t: t.L.MultiHeadAttention(2, 4)(t.masked(), t.masked(1)),
}
OF_IMAGES = {
    "Resizing": {"height": 5, "width": 11},
    "Resizing nearest": {"height": 5, "width": 11, "interpolation": "nearest"},
    "Resizing bicubic": {"height": 5, "width": 11, "interpolation": "bicubic"},
    "Resizing cropped": {"height": 6, "width": 6, "crop_to_aspect_ratio": True},
    "CenterCrop": {"height": 4, "width": 4},
    "CenterCrop larger": {"height": 12, "width": 10},
    "UpSampling2D": {"size": (2, 3)},
    "UpSampling2D bilinear": {"interpolation": "bilinear"},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
    "Conv2DTranspose far": {"filters": 2, "kernel_size": 2, "strides": 3},
    "SeparableConv2D": {"filters": 4, "kernel_size": 3, "depth_multiplier": 2},
    "DepthwiseConv2D": {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"},
    "Conv2D": {"filters": 6, "kernel_size": 3, "groups": 3},
    "GroupNormalization": {"groups": 3},
    "LayerNormalization": {"axis": [1, 2]},
    "BatchNormalization": {"axis": 1},
    "UnitNormalization": {},
    "PReLU": {"shared_axes": [1, 2]},
    "LeakyReLU": {},
    "ELU": {"alpha": 0.5},
    "Softmax": {"axis": [1, 2]},
    "Flatten": {"data_format": "channels_first"},
    "GlobalAveragePooling2D": {"data_format": "channels_first"},
    "AveragePooling2D": {"pool_size": 3, "strides": 2, "padding": "same"},
    "MaxPooling2D": {"pool_size": 3, "strides": 2, "padding": "same"},
    "RandomZoom": {"height_factor": 0.2},
    "RandomContrast": {"factor": 0.2},
    "GaussianNoise": {"stddev": 0.2},
    "Rescaling": {"scale": 0.5, "offset": 1.0},
    "Discretization": {"bin_boundaries": [-1.0, 0.0, 1.0]},
}


def of_texts(made):
    def build(keras):
        texts = Texts(keras)
        return keras.Model(texts.inputs, made(texts))

    return build


def of_images(name):
    def build(keras):
        x = keras.Input((7, 9, 6))
        return keras.Model(x, getattr(keras.layers, name.split(" ")[0])(**OF_IMAGES[name])(x))

    return build

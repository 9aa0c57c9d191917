"""Whose code runs when a model is called."""

from __future__ import annotations

import functools
import itertools
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from ckpt_action.engine.objects import walk
from ckpt_action.engine.trace.only_keras import only_keras


def network(library, *layers):
    x = library.Input((8, 6), name="x")
    y = x
    for layer in layers:
        y = layer(y)
    return library.Model(x, library.layers.Dense(3, activation="softmax")(y))


def ordinary(library):
    layers = library.layers
    return network(
        library,
        layers.Conv1D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Normalization(mean=np.zeros(4), variance=np.ones(4)),
        layers.Dropout(0.5),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(3)),
        layers.GRU(4),
    )


@pytest.mark.parametrize("library", [keras, tf_keras], ids=["keras-3", "keras-2"])
def test_models_of_layers_that_keras_has(library):
    assert only_keras(tuple(walk(ordinary(library))))
    assert only_keras(
        tuple(walk(library.Sequential([library.Input((4,)), ordinary_dense(library)])))
    )


def ordinary_dense(library):
    return library.layers.Dense(2, activation=library.activations.gelu)


class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def doubled(x):
    return 2 * x


class Counted:
    def __call__(self, x):
        return x


def with_another_call():
    model = network(keras)
    own = model.layers[-1].call
    model.layers[-1].call = lambda x: 2 * own(x)
    return model


def with_an_attribute(value):
    model = network(keras)
    model.layers[-1].noise = value
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: network(keras, keras.layers.Lambda(lambda x: x)),
        lambda: network(tf_keras, tf_keras.layers.Lambda(lambda x: x)),
        lambda: network(keras, Doubled()),
        lambda: network(keras, keras.layers.Dense(4, activation=lambda x: x)),
        lambda: network(keras, keras.layers.Dense(4, activation=Counted())),
        lambda: network(keras, keras.layers.Dense(4, activation=functools.partial(Counted()))),
        lambda: network(keras, keras.layers.Dense(4, activation=tf.function(lambda x: x))),
        lambda: network(keras, keras.layers.Dense(4, activation=tf.custom_gradient(doubled))),
        lambda: network(keras, keras.layers.Dense(4, activation=tf.recompute_grad(doubled))),
        with_another_call,
        lambda: with_an_attribute(random.random),
        lambda: with_an_attribute(itertools.count()),
        lambda: with_an_attribute(np.random.default_rng().normal),
    ],
)
def test_anybody_elses_code_is_seen(make):
    assert not only_keras(tuple(walk(make())))


@pytest.mark.parametrize("call", [lambda _, x: 2 * x, Counted(), functools.partial(Counted())])
def test_a_layer_of_keras_that_was_given_another_call(call, monkeypatch):
    model = ordinary(keras)
    monkeypatch.setattr(keras.layers.Dropout, "call", call)
    assert not only_keras(tuple(walk(model)))

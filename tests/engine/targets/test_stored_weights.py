"""What a file is said to hold of a model's variables."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ckpt_action.engine.records import ModelVariable
from ckpt_action.engine.stored_weights import held_values, path_finder

RANDOM = np.random.default_rng(4)
KERNEL = RANDOM.normal(size=(3, 3, 2, 4)).astype(np.float32)


def variable(value, path="kernel"):
    return ModelVariable(path=path, variable=tf.Variable(value), source=path)


def held(value, stored, **options):
    return held_values([variable(value)], [("place", np.asarray(stored))], **options)


@pytest.mark.parametrize(
    "stored",
    [
        KERNEL,
        KERNEL.transpose(3, 2, 0, 1),
        KERNEL.transpose(3, 0, 1, 2).reshape(-1),
        KERNEL.transpose(2, 3, 0, 1).reshape(8, 1, 3, 3),
    ],
    ids=["as it is", "onnx", "tflite", "depthwise"],
)
def test_axes_in_another_order_are_held(stored):
    found = held(KERNEL, stored)
    assert found.payloads == {"place": "kernel"}
    assert found.transformed == ()


@pytest.mark.parametrize(
    "stored",
    [KERNEL[::-1], np.sort(KERNEL, axis=None).reshape(KERNEL.shape), KERNEL[..., [1, 0, 2, 3]]],
    ids=["turned around", "sorted", "channels swapped"],
)
def test_the_same_values_in_another_order_are_not(stored):
    found = held(KERNEL, stored)
    assert found.payloads == {}
    assert found.transformed == ("kernel",)


def test_gates_of_an_lstm_in_the_order_of_onnx():
    kernel = RANDOM.normal(size=(5, 12)).astype(np.float32)
    i, f, c, o = np.split(kernel, 4, axis=1)
    assert held(kernel, np.concatenate([i, o, f, c], axis=1).T[None]).payloads
    assert not held(kernel, np.concatenate([o, i, f, c], axis=1).T[None]).payloads


def test_half_precision_counts_where_it_was_asked_for():
    half = KERNEL.transpose(3, 0, 1, 2).astype(np.float16)
    assert held(KERNEL, half, half=True).payloads
    assert held(KERNEL, half).transformed == ("kernel",)


def test_a_name_for_what_is_stored():
    path = path_finder([variable(KERNEL), variable(KERNEL[::-1].copy(), "turned")])
    assert path(KERNEL.transpose(3, 2, 0, 1)) == "kernel"
    assert path(KERNEL[::-1]) == "turned"
    assert path(KERNEL[:, ::-1]) is None

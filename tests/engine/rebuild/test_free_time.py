"""A layer of Keras 3 that is wrong in graphs over a free length, and right eagerly."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ckpt_action.engine.trace.free_time import no_wrong_steps
from ckpt_action.errors import CkptActionError, ExitCode


def traced(time):
    layer = keras.layers.TimeDistributed(keras.layers.Dense(2))
    layer(tf.zeros((1, 3, 4)))
    spec = tf.TensorSpec((None, time, 4), tf.float32)
    return layer, tf.function(layer, autograph=False).get_concrete_function(spec)


def test_a_free_length_is_refused():
    with no_wrong_steps(), pytest.raises(CkptActionError, match="free number of steps") as raised:
        traced(None)
    assert raised.value.problems[0].code is ExitCode.SIGNATURE


def test_a_fixed_length_is_right():
    x = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
    with no_wrong_steps():
        layer, function = traced(5)
    np.testing.assert_allclose(function(tf.constant(x)), layer(x), rtol=1e-5, atol=1e-6)
    assert keras.layers.TimeDistributed.call.__qualname__.startswith("TimeDistributed")


def test_without_the_check_the_steps_are_those_of_the_batch():
    """Why there is a check; where this fails, Keras has been mended and the check is idle."""
    _, function = traced(None)
    assert function(tf.zeros((2, 5, 4))).shape == (2, 2, 2)

"""Softplus stays finite in TFLite, in functions and branches too."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal, spec, traced, traced_model

from ckpt_action.engine.targets import registry

TFLITE = registry()["tflite"]


@pytest.mark.parametrize(
    "call", [tf.math.softplus, tf.math.log_sigmoid, tf.function(tf.nn.softplus)]
)
def test_softplus_of_large_values(call, tmp_path):
    signature = traced(lambda x: {"y": call(x)}, spec("x", "float32", "n"))
    TFLITE.export(traced_model(tf.Module(), signature), tmp_path, {})
    x = np.array([-1000, -300, -90, -20, -1, 0, 1e-3, 1, 20, 90, 300, 1000], "float32")
    found = TFLITE.open_artifact(tmp_path, ()).run("serving_default", {"x": x})
    wanted = signature.function(x=tf.constant(x))
    assert_equal(found, {key: value.numpy() for key, value in wanted.items()})

"""Log1p and Expm1 keep their digits near zero in TFLite, in functions too."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model

from ckpt_action.engine.targets import registry
from ckpt_action.engine.tflite.convert import convert

TFLITE = registry()["tflite"]
NEAR = [0, 1e-30, 3e-9, 1e-7, 2.3e-6, 1e-4, 0.02, 0.2, 0.2499, 0.25, 0.2501, 0.4999, 0.5, 0.5001]
FAR = [0.7, 0.99, 1, 1.0001, 1.5, 3, 20, 80, 100, 1e9, np.inf]
X = np.array([*NEAR, *FAR, *np.negative(NEAR), *np.negative(FAR)], "float32")


@tf.function
def inner(x):
    return tf.math.expm1(x)


@pytest.mark.parametrize("call", [tf.math.log1p, tf.math.expm1, inner])
def test_near_zero_and_far(call, tmp_path):
    signature = traced(lambda x: {"y": call(x)}, spec("x", "float32", "n"))
    TFLITE.export(traced_model(tf.Module(), signature), tmp_path, {})
    found = TFLITE.open_artifact(tmp_path, ()).run("serving_default", {"x": X})["y"]
    wanted = signature.function(x=tf.constant(X))["y"].numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("quantize", "spelled_out"), [("dynamic-range", True), ("int8", False)])
def test_eight_bits_of_all_values_tell_nothing_apart_there(quantize, spelled_out):
    """A polynomial of them would lose more than it keeps."""
    signature = traced(lambda x: {"y": tf.math.log1p(x)}, spec("x", "float32", 2, 4))
    x = np.linspace(0, 1, 8, dtype="float32").reshape(2, 4)
    samples = (("serving_default", {"x": x}),)
    model = traced_model(tf.Module(), signature)
    assert (b"Log1p/" in convert(model, quantize, samples, select_tf_ops=False)) == spelled_out

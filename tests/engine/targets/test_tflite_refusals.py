"""What is said where TFLite cannot hold a model: each op once, the cause, and what else can."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model

from ckpt_action.engine.targets import registry
from ckpt_action.errors import CompleteRefusalError

TFLITE = registry()["tflite"]


def _refusal_of(call, x, tmp_path):
    signature = traced(call, spec("x", x.dtype.name if x.dtype != object else "string", *x.shape))
    with pytest.raises(CompleteRefusalError) as found:
        TFLITE.export(traced_model(tf.Module(), signature), tmp_path, {})
    (problem,) = found.value.problems
    assert not problem.details
    return problem


def test_mixed_precision_is_named_as_the_cause(tmp_path):
    weights = np.ones((4, 3), np.float16)

    def call(x):
        return {"y": tf.cast(tf.matmul(tf.cast(x, tf.float16), weights), tf.float32)}

    problem = _refusal_of(call, np.ones((2, 4), np.float32), tmp_path)
    assert "MatMul" in problem.message
    assert "dtype policy `float32`" in problem.hint
    assert "onnx" not in problem.hint


@pytest.mark.parametrize(
    ("call", "x", "other"),
    [
        (lambda x: {"y": tf.strings.lower(x)}, np.array([b"A"], object), "saved-model"),
        (lambda x: {"y": tf.sinh(x)}, np.ones(3, np.float32), "onnx"),
        (lambda x: {"y": tf.linalg.cholesky(x)}, np.eye(3, dtype=np.float32), "saved-model"),
    ],
)
def test_another_format_is_named_only_where_it_can_hold_it(call, x, other, tmp_path):
    assert f"export the model as `{other}`" in _refusal_of(call, x, tmp_path).hint

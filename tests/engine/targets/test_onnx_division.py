"""Whole numbers are divided as TensorFlow divides them: towards minus infinity."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal, spec, traced, traced_model

from ckpt_action.engine.targets import registry

ONNX = registry()["onnx"]

COMPUTED = {
    "floordiv": lambda x, y: x // y,
    "floormod": lambda x, y: x % y,
    "hash": lambda x, y: (
        (x * 2654435761 % 1000003 if x.dtype == tf.int64 else x * 40503 % 1009) // y
    ),
    "in a branch": lambda x, y: tf.cond(tf.reduce_any(x > y), lambda: x // y, lambda: x % y),
}


def values(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    most = np.iinfo(dtype).max
    divided = [0, 1, 5, -1, -5, -6, 7, -7, 300, -300, most, most - 1, -most, -most // 3, 1 << 30]
    divisors = [1, 2, 3, 7, -1, -2, -3, -7, 1000003, -1000003, most, -most]
    x, y = np.meshgrid(np.array(divided, dtype), np.array(divisors, dtype))
    return x.ravel(), y.ravel()


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("name", COMPUTED)
def test_division_of_whole_numbers_rounds_down(name, dtype, tmp_path):
    call = COMPUTED[name]
    signature = traced(lambda x, y: {"z": call(x, y)}, spec("x", dtype, "n"), spec("y", dtype, "n"))
    ONNX.export(traced_model(tf.Module(), signature), tmp_path, {})
    x, y = values(dtype)
    found = ONNX.open_artifact(tmp_path, ()).run("serving_default", {"x": x, "y": y})
    wanted = signature.function(x=tf.constant(x), y=tf.constant(y))
    assert_equal(found, {key: value.numpy() for key, value in wanted.items()})

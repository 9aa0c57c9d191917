"""Ops that readers have, and take otherwise where indices are negative, equal or on other axes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from handmade import assert_equal, spec, traced, traced_model

from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError

sys.path.append(str(Path(__file__).resolve().parents[1] / "tfjs"))

from tfjs_running import in_node, needs_node  # noqa: F401

INDICES = np.array([[1, 3, -1, 5], [0, -3, 4, 9]])


def one_hot(x):
    made = {
        f"axis_{axis}": tf.one_hot(x, 5, on_value=2.0, off_value=-1.0, axis=axis)
        for axis in (-1, 0, 1, 2)
    }
    counted = tf.one_hot(x, tf.shape(x)[0] + 1, on_value=3, off_value=0)
    branch = tf.cond(
        tf.reduce_sum(x) > 0, lambda: tf.one_hot(x, 3, axis=1), lambda: tf.one_hot(-x, 3, axis=1)
    )
    return {**made, "counted": counted, "in_branch": branch}


def compared(target: str, signature, folder: Path, *inputs: np.ndarray) -> Iterator[tuple]:
    """What the files and TensorFlow compute."""
    registry()[target].export(traced_model(tf.Module(), signature), folder, {})
    artifact = registry()[target].open_artifact(folder, ())
    for x in inputs:
        wanted = signature.function(x=tf.constant(x))
        yield (
            artifact.run("serving_default", {"x": x}),
            {name: value.numpy() for name, value in wanted.items()},
        )


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("target", ["onnx", pytest.param("tfjs", marks=needs_node)])
@pytest.mark.usefixtures("in_node")
def test_one_hot_has_no_class_below_zero_and_the_axis_that_was_asked_for(target, dtype, tmp_path):
    x = INDICES if dtype != "uint8" else abs(INDICES)
    call = one_hot if dtype != "uint8" else lambda x: {"y": tf.one_hot(x, 5, axis=1)}
    signature = traced(call, spec("x", dtype, "n", 4))
    for found, wanted in compared(target, signature, tmp_path, x.astype(dtype)):
        assert_equal(found, wanted, exactly=True)


def test_values_that_are_scattered_to_one_place_are_added(tmp_path):
    def call(x):
        values = tf.cast(x, tf.float32) + 0.5
        return {
            "y": tf.scatter_nd(x[:, None], values, [1000]),
            "whole": tf.scatter_nd(x[:, None], x, [1000]),
        }

    signature = traced(call, spec("x", "int32", "n"))
    for found, wanted in compared(
        "onnx", signature, tmp_path, np.array([1, 7, 1, 1], "int32"), np.array([5], "int32")
    ):
        assert_equal(found, wanted)


def test_what_cannot_be_added_is_refused_by_name(tmp_path):
    signature = traced(
        lambda x: {"y": tf.scatter_nd(x[:, None], x > 3, [9])}, spec("x", "int32", "n")
    )
    with pytest.raises(CkptActionError, match=r"one of several values for a place \(ScatterNd\)"):
        registry()["onnx"].export(traced_model(tf.Module(), signature), tmp_path, {})
    assert not list(tmp_path.iterdir())


@needs_node
@pytest.mark.usefixtures("in_node")
def test_floats_that_were_divided_and_cut_stay_floats(tmp_path):
    signature = traced(
        lambda x: {"y": x // 0.25, "z": (x // -3.0) * 0.5}, spec("x", "float32", "n")
    )
    x = np.array([-1.1, 0.0, 7.9, 3e9, -5e12], "float32")
    for found, wanted in compared("tfjs", signature, tmp_path, x):
        assert_equal(found, wanted, exactly=True)

"""What is computed from sizes is computed as TensorFlow does, at every size, or refused by name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model

from ckpt_action.engine.onnx_graph import write as writing
from ckpt_action.engine.prepare.nearest import rewrite_nearest
from ckpt_action.engine.targets import registry
from ckpt_action.errors import CkptActionError, ExitCode

ONNX = registry()["onnx"]
MODES = ((False, False), (True, False), (False, True))
HEIGHTS = (32, 224)
SIZES = (31, 447, 448, 449, 896, 960)


def nearest(x):
    """Every way of taking the nearest pixel, each to two heights."""
    return {
        f"{'aligned' * aligned}{'centred' * centred}_{height}": tf.raw_ops.ResizeNearestNeighbor(
            images=x, size=[height, 3], align_corners=aligned, half_pixel_centers=centred
        )
        for (aligned, centred), height in itertools.product(MODES, HEIGHTS)
    }


def in_branch(x):
    """A function's body, of which no shape is known."""
    return {
        "y": tf.cond(tf.reduce_sum(x) > 0, lambda: tf.image.resize(x, (32, 3), "nearest"),
                     lambda: tf.image.resize(-x, (32, 3), "nearest")),
    }  # fmt: skip


def numbered(height: int, dtype: str = "float32") -> np.ndarray:
    return np.arange(height * 2, dtype=dtype).reshape(1, height, 2, 1)


def differing(signature, folder, images) -> set[tuple[int, str]]:
    """(height, output) of what the file and TensorFlow give unequal pixels for."""
    ONNX.export(traced_model(tf.Module(), signature), folder, {})
    artifact = ONNX.open_artifact(folder, ())
    found = set()
    for image in images:
        wanted = signature.function(x=tf.constant(image))
        for name, value in artifact.run("serving_default", {"x": image}).items():
            if not np.array_equal(value, wanted[name].numpy()):
                found.add((image.shape[1], name))
    return found


@pytest.mark.parametrize("compute", [nearest, in_branch])
def test_the_nearest_pixel_is_the_same_at_every_size(compute, tmp_path):
    signature = traced(compute, spec("x", "float32", 1, "h", 2, 1))
    assert differing(signature, tmp_path, map(numbered, SIZES)) == set()


def test_the_nearest_pixel_of_a_fixed_size_is_the_same(tmp_path):
    signature = traced(nearest, spec("x", "int32", "n", 960, 2, 1))
    assert differing(signature, tmp_path, [numbered(960, "int32")]) == set()


def test_a_size_that_follows_from_the_images_is_the_same(tmp_path):
    def twice(x):
        return {"y": tf.image.resize(x, tf.shape(x)[1:3] * [2, 3], "nearest")}

    signature = traced(twice, spec("x", "float32", "n", "h", "w", 1))
    assert differing(signature, tmp_path, map(numbered, SIZES)) == set()


def test_the_nearest_pixel_of_the_converter_is_another(tmp_path, monkeypatch):
    passes = tuple(p for p in writing._PASSES if p is not rewrite_nearest)
    monkeypatch.setattr(writing, "_PASSES", passes)
    signature = traced(nearest, spec("x", "float32", 1, "h", 2, 1))
    found = differing(signature, tmp_path, map(numbered, SIZES))
    assert {(448, "centred_32"), (896, "centred_32"), (960, "centred_32")} <= found


BOXES = np.array([[0, 0, 1, 1], [0.9, 0.8, 0.1, 0.2]], "float32")
REFUSED = {
    "CropAndResize": lambda x: tf.image.crop_and_resize(x, BOXES, [0, 0], (7, 9)),
    "ResizeArea": lambda x: tf.image.resize(x, (64, 64), "area"),
    "ResizeBicubic of TensorFlow 1": lambda x: tf.raw_ops.ResizeBicubic(images=x, size=[64, 64]),
    "ResizeBicubic": lambda x: tf.image.resize(x, (64, 64), "bicubic"),
    "Range": lambda x: tf.range(0.0, tf.reduce_max(x), 0.01),
    "StridedSlice": lambda x: x[:, -3::-1],
}


@pytest.mark.parametrize("op", REFUSED)
def test_what_differs_at_some_sizes_is_refused_by_name(op, tmp_path, monkeypatch):
    signature = traced(lambda x: {"y": REFUSED[op](x)}, spec("x", "float32", 1, "h", "w", 1))
    model = traced_model(tf.Module(), signature)
    with pytest.raises(CkptActionError, match=rf"ONNX cannot hold this model: .*\({op}\)") as got:
        ONNX.export(model, tmp_path, {})
    assert {p.code for p in got.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(writing, "refuse_differing", lambda graph: None)
    ONNX.export(model, tmp_path, {})


def test_what_cannot_differ_is_written(tmp_path):
    def compute(x):
        return {
            "larger": tf.image.resize(x, (64, 64), "bicubic"),
            "steps": tf.range(0.0, tf.cast(tf.shape(x)[0], tf.float32), 1.0),
            "back": x[:, -3::-1, ::-1],
        }

    signature = traced(compute, spec("x", "float32", "n", 8, 8, 1))
    ONNX.export(traced_model(tf.Module(), signature), tmp_path, {})
    x = np.random.default_rng(0).random((2, 8, 8, 1)).astype("float32")
    found = ONNX.open_artifact(tmp_path, ()).run("serving_default", {"x": x})
    for name, value in signature.function(x=tf.constant(x)).items():
        np.testing.assert_allclose(found[name], value.numpy(), rtol=0, atol=1e-5)

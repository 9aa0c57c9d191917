"""What TensorFlow.js cannot do is refused by name, before the first byte."""

from __future__ import annotations

import json
import re
import subprocess

import module_cases
import numpy as np
import pytest
import tensorflow as tf
from tfjs_running import PACKAGES, case_of, export, needs_node, noise, run

from ckpt_action.engine.tfjs import refusals
from ckpt_action.engine.tfjs.supported import supported
from ckpt_action.errors import CkptActionError, ExitCode

IMAGE = noise(2, 6, 6, 4)
STATISTICS = {name: np.abs(noise(4)) + 0.5 for name in ("scale", "offset", "mean", "variance")}


def _looks_up(m, x):
    m.table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64)), -1
    )
    return {"y": m.table.lookup(x)}


def _lower(m, x):
    with tf.name_scope("text_cleaning"):
        return {"y": tf.strings.lower(x)}


def _branch_writes(m, x):
    array = tf.TensorArray(tf.float32, 3, element_shape=[2])
    for i in tf.range(3):
        if tf.reduce_sum(x) > 0:  # noqa: SIM108 - autograph turns it into a branch
            array = array.write(i, x[0] * m.w)
        else:
            array = array.write(i, x[0] + m.w)
    return {"y": array.stack()}


def _channels_first(m, x):
    norm = tf.raw_ops.FusedBatchNormV3(
        x=tf.nn.relu(x), **STATISTICS, is_training=False, data_format="NCHW"
    )
    return {"y": norm.y}


def _batch_statistics(m, x):
    nothing = np.empty(0, "float32")
    norm = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=STATISTICS["scale"], offset=STATISTICS["offset"], mean=nothing,
        variance=nothing, is_training=True,
    )  # fmt: skip
    return {"y": norm.y, "mean": norm.batch_mean}


def _fake_quantised(m, x):
    return {"y": tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.0, num_bits=3) * m.w}


def _crops(m, x):
    box = np.array([[0, 0, 1, 1]], "float32")
    return {"y": tf.image.crop_and_resize(x, box, [0], (14, 14))}


CASES = {
    "an unknown op": (_lower, {}, np.array([b"Ab"], object), r"no op StringLower, .*text_cleaning"),
    "a table": (_looks_up, {}, np.array([b"a"], object), "uses a lookup table"),
    "float64": (lambda m, x: {"y": x * m.w}, {"w": np.ones(3)}, np.ones((2, 3)), "with float64"),
    "float16": (
        lambda m, x: {"y": tf.cast(tf.cast(x, tf.float16) * 2, tf.float32)},
        {}, noise(2, 3), "with half|with float16",
    ),
    "large integers": (
        lambda m, x: {"y": x + np.int64(5_000_000_000)}, {}, np.array([1]), "beyond 32 bits",
    ),
    "lists in branches": (_branch_writes, {"w": noise(2)}, noise(2, 2), "writes into a list"),
    "channels first": (_channels_first, {}, noise(2, 4, 5, 4), "channels for the last axis"),
    "batch statistics": (_batch_statistics, {}, IMAGE, "statistics of the batch"),
    "fake quantisation": (_fake_quantised, {"w": noise(3)}, noise(2, 3), "fake quantisation"),
    "crops": (_crops, {}, noise(2, 8, 8, 4), "crops other pixels"),
    "grouped convolution": (
        lambda m, x: {"y": tf.nn.conv2d(x, m.w, 1, "SAME")},
        {"w": noise(3, 3, 2, 6)}, IMAGE, "grouped convolution",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_by_name(name, tmp_path):
    call, variables, x, says = CASES[name]
    with pytest.raises(CkptActionError, match=says) as found:
        export(case_of(call, variables, x=x), tmp_path)
    assert {problem.code for problem in found.value.problems} == {ExitCode.TARGET}
    assert all(problem.hint for problem in found.value.problems)
    assert not list(tmp_path.iterdir())


def test_every_reason_is_told_at_once(tmp_path):
    def call(m, x):
        return {"y": tf.linalg.det(x), "z": tf.linalg.inv(x) * tf.cast(2.0, tf.float64)}

    with pytest.raises(CkptActionError) as found:
        export(case_of(call, {}, x=np.eye(3)[None] + 0.1), tmp_path)
    text = str(found.value)
    assert len(found.value.problems) == 2
    assert re.search("no op MatrixDeterminant, from .*; MatrixInverse, from ", text)
    assert "with float64" in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("switch_case_and_nested_functions", "no op Case"),
        ("control_flow_of_tf1", "PartitionedCall"),
    ],
)
def test_control_flow_that_it_has_no_form_for_is_refused(name, says, tmp_path):
    with pytest.raises(CkptActionError, match=says):
        export(module_cases.CASES[name](), tmp_path)


@needs_node
@pytest.mark.parametrize("name", ["channels first", "crops", "fake quantisation"])
def test_without_the_refusal_it_would_be_computed_wrongly(name, tmp_path, monkeypatch):
    """Read back, both are right: only TensorFlow.js itself tells."""
    monkeypatch.setattr(refusals, "ignored", lambda graph: ())
    call, variables, x, _ = CASES[name]
    case = case_of(call, variables, x=x)
    export(case, tmp_path)
    live = case.live("serving_default")["y"]
    assert np.abs(run(tmp_path, case)["y"] - live).max() < 1e-5
    monkeypatch.setenv("CKPT_ACTION_TFJS", str(PACKAGES))
    assert not np.abs(run(tmp_path, case)["y"] - live).max() < 0.05


@needs_node
def test_the_list_of_ops_is_that_of_the_package(tmp_path):
    found = tmp_path / "ops.json"
    subprocess.run(["node", PACKAGES / "list_ops.mjs", found], check=True, capture_output=True)
    data = json.loads(found.read_text())
    known = supported()
    assert data == {"package": known.package, "version": known.version, "ops": sorted(known.ops)}
    assert {"Conv2D", "While", "_FusedMatMul"} <= known.ops
    assert not {"Erfc", "Case", "StringLower"} & known.ops

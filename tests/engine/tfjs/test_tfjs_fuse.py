"""Kernel, bias and activation as one op: where it may be, with the same numbers both ways."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal
from tfjs_running import case_of, export, needs_node, noise, run

IMAGE = noise(2, 6, 6, 3)
VARIABLES = {"k": noise(3, 3, 3, 4), "d": noise(3, 3, 3, 2), "w": noise(6, 4), "b": noise(4),
             "e": noise(6), "a": noise(4)}  # fmt: skip


def conv(m, x):
    return tf.nn.conv2d(x, m.k, 1, "SAME")


def prelu(x, alpha):
    return tf.nn.relu(x) + (-alpha) * tf.nn.relu(-x)


FUSED = {
    "conv": (lambda m, x: conv(m, x) + m.b, IMAGE, "_FusedConv2D", ["BiasAdd"]),
    "conv and relu": (lambda m, x: tf.nn.relu(conv(m, x) + m.b), IMAGE, "_FusedConv2D",
                      ["BiasAdd", "Relu"]),
    "conv and relu6": (lambda m, x: tf.nn.relu6(conv(m, x) + m.b), IMAGE, "_FusedConv2D",
                       ["BiasAdd", "Relu6"]),
    "conv and prelu": (lambda m, x: prelu(conv(m, x) + m.b, m.a), IMAGE, "_FusedConv2D",
                       ["BiasAdd", "Prelu"]),
    "depthwise and elu": (
        lambda m, x: tf.nn.elu(tf.nn.depthwise_conv2d(x, m.d, [1, 1, 1, 1], "VALID") + m.e),
        IMAGE, "FusedDepthwiseConv2dNative", ["BiasAdd", "Elu"],
    ),
    "matmul and prelu": (lambda m, x: prelu(x @ m.w + m.b, m.a), noise(5, 6), "_FusedMatMul",
                         ["BiasAdd", "Prelu"]),
}  # fmt: skip
APART = {
    "a bias that others read": (
        lambda m, x: tf.nn.relu(y := conv(m, x) + m.b) * tf.reduce_mean(y), IMAGE, {"Relu"}),
    "another activation": (lambda m, x: tf.nn.softplus(conv(m, x) + m.b), IMAGE, {"Softplus"}),
    "no bias": (lambda m, x: tf.nn.relu(conv(m, x)), IMAGE, {"Conv2D", "Relu"}),
    "a bias that is computed": (
        lambda m, x: tf.nn.bias_add(x @ m.w, tf.reduce_mean(x) * m.b), noise(5, 6), {"BiasAdd"}),
    "a prelu without a bias": (lambda m, x: prelu(x @ m.w, m.a), noise(5, 6), {"MatMul", "Prelu"}),
    "an alpha per pixel": (
        lambda m, x: prelu(x, tf.reshape(m.d, [3, 3, 6])[:, :, :3]), noise(2, 3, 3, 3), {"Relu"}),
    "no prelu": (lambda m, x: tf.nn.relu(x) + m.b * tf.nn.relu(-x * 2), noise(5, 4), {"Relu"}),
}  # fmt: skip


def ops(folder: Path) -> Counter[str]:
    nodes = json.loads((folder / "model.json").read_text())["modelTopology"]["node"]
    return Counter(node["op"] for node in nodes)


def case(call, x: np.ndarray) -> Case:
    return case_of(lambda m, x: {"y": call(m, x)}, VARIABLES, x=x)


@needs_node
@pytest.mark.parametrize("name", FUSED)
def test_one_op_does_it_all(name, tmp_path, monkeypatch):
    call, x, op, fused = FUSED[name]
    made = case(call, x)
    export(made, tmp_path)
    assert ops(tmp_path).keys() == {"Placeholder", "Const", op, "Identity"}
    nodes = json.loads((tmp_path / "model.json").read_text())["modelTopology"]["node"]
    (node,) = (n for n in nodes if n["op"] == op)
    names = node["attr"]["fused_ops"]["list"]["s"]
    assert [tf.io.decode_base64(n.rstrip("=")).numpy().decode() for n in names] == fused
    live = made.live("serving_default")
    assert_equal(run(tmp_path, made), live)
    monkeypatch.setenv("CKPT_ACTION_TFJS", str(Path(__file__).resolve().parents[2] / "browser"))
    assert_equal(run(tmp_path, made), live)


@needs_node
@pytest.mark.parametrize("name", APART)
def test_what_does_not_fit_stays_apart(name, tmp_path, monkeypatch):
    call, x, stays = APART[name]
    made = case(call, x)
    export(made, tmp_path)
    assert stays <= ops(tmp_path).keys()
    live = made.live("serving_default")
    assert_equal(run(tmp_path, made), live)
    monkeypatch.setenv("CKPT_ACTION_TFJS", str(Path(__file__).resolve().parents[2] / "browser"))
    assert_equal(run(tmp_path, made), live)


def test_the_slopes_of_a_prelu_are_stored_as_they_are(tmp_path):
    call, x, *_ = FUSED["conv and prelu"]
    assert export(case(call, x), tmp_path).transformed == ()

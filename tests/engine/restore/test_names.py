"""TF1 checkpoints: the name is all there is."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from restoring import DATA, refusal, restored

FILE = DATA / "tf1" / "model"


def module(scope="net"):
    found = tf.Module()
    found.kernel = tf.Variable(tf.zeros((2, 2)), name=f"{scope}/w" if scope else "w")
    found.bias = tf.Variable(tf.zeros(2), name=f"{scope}/b" if scope else "b")
    return found


def test_by_name():
    model = module()
    found = restored(model, FILE)
    reader = tf.train.load_checkpoint(str(FILE))
    np.testing.assert_array_equal(model.kernel, reader.get_tensor("net/w"))
    assert found.binding.route == "variable names"
    assert {v.path: v.source for v in found.variables} == {"kernel": "net/w", "bias": "net/b"}
    assert found.binding.ignored == {"optimizer": 8, "counter": 1}


def test_another_scope_is_refused_and_shown():
    problem = refusal(module(scope="model"), FILE)
    assert "by their names alone" in problem.message
    rows = [" ".join(line.split()) for line in problem.details]
    assert any(row.startswith("~ kernel [2, 2] float32 net/w") for row in rows)


def test_moving_averages():
    model = module()
    restored(model, FILE, weights="ema")
    reader = tf.train.load_checkpoint(str(FILE))
    average = reader.get_tensor("net/w/ExponentialMovingAverage")
    np.testing.assert_array_equal(model.kernel, average)
    assert not np.array_equal(average, reader.get_tensor("net/w"))

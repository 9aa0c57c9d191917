"""What is a metric of Keras, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from restoring import refusal, restored

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoint" / "data"


class Policy(tf.Module):
    """Has a running normaliser, whose attributes are those of a metric."""

    def __init__(self, *, whole, names=(None, None)):
        super().__init__()
        self.w = tf.Variable([[1.0]])
        if whole:
            self.norm = tf.Module()
            self.norm.total = tf.Variable([2.0, 3.0], name=names[0])
            self.norm.count = tf.Variable([1.0, 2.0], name=names[1])


@pytest.mark.parametrize("names", [(None, None), ("norm_total", "norm_count")])
def test_a_normaliser_that_the_code_lost_is_no_metric(tmp_path, names):
    tf.train.Checkpoint(policy=Policy(whole=True, names=names)).write(tmp_path / "ck")
    problem = refusal(Policy(whole=False), tmp_path / "ck", root="policy")
    assert {"norm/total", "norm/count"} <= {
        part.removeprefix("policy/") for line in problem.details for part in line.split()
    }
    assert restored(Policy(whole=True), tmp_path / "ck").binding.bound == 3


def test_what_is_named_as_keras_names_a_mean_is_warned_of(tmp_path):
    saved = Policy(whole=True, names=("total", "count"))
    tf.train.Checkpoint(policy=saved).write(tmp_path / "ck")
    (warning,) = restored(Policy(whole=False), tmp_path / "ck").problems
    assert warning.details == ("policy/norm",)
    assert "taken for those of a metric" in warning.message
    assert restored(Policy(whole=True), tmp_path / "ck").problems == ()


def test_the_metric_of_a_model_of_keras_2_stays_apart():
    """A file of Keras 2 whose model had `loss_tracker = Mean()`, which code for serving drops."""

    class Block(tf.Module):
        def __init__(self, inputs, units):
            super().__init__()
            self.kernel = tf.Variable(tf.zeros((inputs, units)))
            self.bias = tf.Variable(tf.zeros(units))

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(4, 3), Block(3, 2)]

    found = restored(Net(), CHECKPOINTS / "keras2_manager" / "ckpt-11")
    assert found.binding.bound == 4
    (warning,) = found.problems
    assert warning.details == ("model/loss_tracker",)

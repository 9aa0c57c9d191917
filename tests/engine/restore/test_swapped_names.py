"""Models that fit both ways round: the recorded names decide, whatever the order of the code."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from architectures import shake
from restoring import fresh, refusal, restored

layers = keras.layers


def heads(order):
    fresh()
    inputs = layers.Input((3,))
    named = {name: layers.Dense(4, name=name) for name in order}
    return keras.Model(inputs, {name: layer(inputs) for name, layer in named.items()})


def towers(order):
    """Two models with a layer of one name in each."""
    fresh()
    inputs = layers.Input((3,))
    found = {}
    for name in order:
        inner = layers.Input((3,))
        found[name] = keras.Model(inner, layers.Dense(4, name="proj")(inner), name=name)
    return keras.Model(inputs, [found[name](inputs) for name in order])


@pytest.mark.parametrize("build", [heads, towers])
@pytest.mark.parametrize("ending", [".weights.h5", ""])
def test_keras_3(tmp_path, build, ending):
    model = build(["user", "item"])
    shake(model)
    path = tmp_path / f"saved{ending}"
    if ending:
        model.save_weights(path)
    else:
        tf.train.Checkpoint(model=model).write(path)
    assert restored(build(["user", "item"]), path).binding.bound == 4
    swapped = build(["item", "user"])
    if build is heads and not ending:
        assert restored(swapped, path).binding.bound == 4, "dicts are sorted: nothing was swapped"
        return
    assert "may be swapped" in refusal(swapped, path).message


def test_members_of_a_list(tmp_path):
    class Heads(tf.Module):
        def __init__(self, order):
            super().__init__()
            self.heads = [tf.Variable(tf.ones(4), name=name) for name in order]

    tf.train.Checkpoint(Heads(["user", "item"])).write(tmp_path / "saved")
    assert restored(Heads(["user", "item"]), tmp_path / "saved").binding.bound == 2
    problem = refusal(Heads(["item", "user"]), tmp_path / "saved")
    assert "may be swapped" in problem.message

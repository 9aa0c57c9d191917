"""`weights = "ema"`: the averages that the optimizer kept."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from architectures import build, inputs
from restoring import DATA, fresh, output, refusal, restored


def test_keras_3(tmp_path):
    keras = fresh()
    model = build("functional", keras)
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "mse")
    for _ in range(3):
        model.train_on_batch(inputs("functional"), np.ones((3, 2), "float32"))
    raw = output(model, "functional")
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(tmp_path / "ck")
    optimizer.finalize_variable_values(model.trainable_variables)
    averaged = output(model, "functional")
    assert np.abs(averaged - raw).max() > 1e-3

    rebuilt = build("functional", fresh())
    restored(rebuilt, tmp_path / "ck")
    np.testing.assert_allclose(output(rebuilt, "functional"), raw, rtol=1e-5, atol=1e-6)
    found = restored(rebuilt, tmp_path / "ck", weights="ema")
    np.testing.assert_allclose(output(rebuilt, "functional"), averaged, rtol=1e-5, atol=1e-6)
    assert "moving averages for 6 trainable variables" in found.binding.notes


def test_keras_2():
    rebuilt = build("functional", fresh())
    restored(rebuilt, DATA / "ema" / "ck", weights="ema")
    golden = np.load(DATA / "ema" / "golden.npz")["y"]
    np.testing.assert_allclose(output(rebuilt, "functional"), golden, rtol=1e-5, atol=1e-6)


def test_a_checkpoint_without_averages():
    problem = refusal(build("functional", fresh()), DATA / "functional" / "ck-1", weights="ema")
    assert "no moving average for 6 of 6 trainable variables" in problem.message
    assert problem.details[0] == "dense/kernel"

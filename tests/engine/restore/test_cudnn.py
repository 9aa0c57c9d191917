"""Weights of CuDNNLSTM and CuDNNGRU become those of LSTM and GRU, as tf_keras itself loads them."""

from __future__ import annotations

import numpy as np
import pytest
from architectures import cudnn_inputs, recurrent
from restoring import DATA, fresh, refusal, restored

FOLDER = DATA / "cudnn"


@pytest.mark.parametrize("file", ["w.h5", "whole.h5"])
def test_as_tf_keras_loads_them(file):
    golden = np.load(FOLDER / "golden.npz")
    model = recurrent(fresh())
    binding = restored(model, FOLDER / file).binding
    for number, variable in enumerate(model.weights):
        np.testing.assert_array_equal(variable, golden[f"v{number}"])
    np.testing.assert_allclose(model(cudnn_inputs()), golden["y"], rtol=1e-5, atol=1e-6)
    assert [note.split(" has its weights converted from ") for note in binding.notes[:-1]] == [
        ["forward_lstm", "CuDNNLSTM, as Keras 2 does"],
        ["backward_lstm", "CuDNNLSTM, as Keras 2 does"],
        ["lstm_1", "CuDNNLSTM, as Keras 2 does"],
        ["gru", "CuDNNGRU, as Keras 2 does"],
    ]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"reset_after": False}, "of gru, it has `reset_after=False`"),
        ({"recurrent_activation": "hard_sigmoid"}, "`recurrent_activation` is hard_sigmoid"),
        ({"activation": "relu"}, "its `activation` is relu, cuDNN's is tanh"),
    ],
)
def test_a_layer_that_computes_something_else(options, why):
    problem = refusal(recurrent(fresh(), **options), FOLDER / "w.h5")
    assert (
        "weights of CuDNNLSTM or CuDNNGRU, which have two biases, for gru/cell" in problem.message
    )
    assert why in problem.message
    assert "reset_after=True" in problem.hint


def test_a_layer_of_the_users_own():
    class GRU(fresh().layers.GRU):
        pass

    problem = refusal(recurrent(fresh(), gru=GRU), FOLDER / "w.h5")
    assert "of gru, it is no GRU of Keras" in problem.message


def test_a_checkpoint_of_tensorflows_format():
    """Keras 2 does not convert it either."""
    problem = refusal(recurrent(fresh()), FOLDER / "ck")
    assert "weights of CuDNNLSTM or CuDNNGRU, which have two biases" in problem.message
    assert "model.save_weights('w.h5')" in problem.hint

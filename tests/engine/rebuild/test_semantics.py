"""`hard_sigmoid`: the one activation that both Kerases spell alike and compute differently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import KERAS_3, keras, problems_of, rebuilt

from ckpt_action.checkpoint.records import Writer
from ckpt_action.config.records import Verify
from ckpt_action.errors import Severity

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has one meaning only")


@pytest.mark.parametrize(
    ("layer", "places"),
    [
        ("Dense", {"dense.activation"}),
        ("Activation", {"activation.activation"}),
        ("LSTM", {"lstm_cell.recurrent_activation"}),
        ("Bidirectional", {"lstm_cell.recurrent_activation"}),
        ("hard ConvLSTM2D", {"conv_lstm_cell.recurrent_activation"}),
        ("ConvLSTM2D", {"conv_lstm2d.recurrent_activation"}),
    ],
)
def test_every_place_is_named(layer, places):
    keras.backend.clear_session()
    problems = problems_of(
        rebuilt, "activations:build", arguments={"layer": layer}, writer=Writer.KERAS_2
    )
    assert {p.message.split(" is ")[0] for p in problems} == places
    assert all('keras = "2"' in p.hint and "clip" in p.message for p in problems)


def test_the_formulas_in_the_message_are_true():
    x = np.linspace(-6, 6, 100, dtype=np.float32)
    found = np.asarray(keras.activations.hard_sigmoid(x))
    np.testing.assert_allclose(found, np.clip(x + 3, 0, 6) / 6, atol=1e-6)
    assert np.abs(found - np.clip(0.2 * x + 0.5, 0, 1)).max() > 0.05


@pytest.mark.parametrize(
    "options",
    [
        {"writer": Writer.KERAS_2, "keras": "3"},
        {"writer": Writer.KERAS_2, "verify": Verify(golden=Path("golden.npz"))},
        {"writer": Writer.UNKNOWN},
    ],
)
def test_a_warning_where_something_else_decides(options):
    problems = rebuilt("activations:build", arguments={"layer": "Dense"}, **options).problems
    assert [p.severity for p in problems] == [Severity.WARNING]


@pytest.mark.parametrize("writer", [Writer.KERAS_3, Writer.TENSORFLOW])
def test_nothing_where_keras_2_wrote_nothing(writer):
    assert not rebuilt("activations:build", arguments={"layer": "Dense"}, writer=writer).problems


def test_the_keras_2_formula_in_its_place_is_fine():
    model = rebuilt("activations:build", arguments={"layer": "formula"}, writer=Writer.KERAS_2)
    assert not model.problems

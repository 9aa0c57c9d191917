"""`hard_sigmoid`: the one activation that both Kerases spell alike and compute differently."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import (
    CODE,
    KERAS_3,
    as_restored,
    keras,
    make_job,
    problem_of,
    problems_of,
    rebuilt,
    signature,
    tf,
    traced,
)

from ckpt_action.checkpoint.records import Writer
from ckpt_action.config.records import Verify
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.engine.semantics.calls import hard_sigmoid_calls
from ckpt_action.engine.semantics.changes import called_changes
from ckpt_action.engine.trace.trace import trace
from ckpt_action.errors import Severity

X = signature(x=("float32", "batch", 4))

HERE, THERE = ("3", "2") if KERAS_3 else ("2", "3")
WRITERS = {"2": Writer.KERAS_2, "3": Writer.KERAS_3}
OLD, NEW = "clip(0.2 * x + 0.5, 0, 1)", "relu6(x + 3) / 6"


def places(layer):
    """Where a layer of this Keras is flagged; a default of ConvLSTM is hard_sigmoid in Keras 2."""
    return {
        "Dense": {"dense.activation"},
        "Activation": {"activation.activation"},
        "LSTM": {"lstm_cell.recurrent_activation"},
        "Bidirectional": {"lstm_cell.recurrent_activation"},
        "ConvLSTM2D": {"conv_lstm2d.recurrent_activation"},
        "hard ConvLSTM2D": {"conv_lstm_cell.recurrent_activation"},
    }[layer]


@pytest.mark.parametrize(
    "layer", ["Dense", "Activation", "LSTM", "Bidirectional", "ConvLSTM2D", "hard ConvLSTM2D"]
)
@pytest.mark.parametrize("writer", [WRITERS[THERE], Writer.UNKNOWN, Writer.TENSORFLOW])
def test_every_place_is_named(layer, writer):
    keras.backend.clear_session()
    problems = problems_of(rebuilt, "activations:build", arguments={"layer": layer}, writer=writer)
    assert places(layer) <= {p.message.split(" is ")[0] for p in problems}
    for problem in problems:
        assert problem.severity is Severity.ERROR
        assert OLD in problem.message
        assert f'keras = "{THERE}"' in problem.hint
        assert (f'keras = "{HERE}"' in problem.hint) == (writer is not WRITERS[THERE])


def test_the_formulas_in_the_message_are_true():
    x = np.linspace(-6, 6, 100, dtype=np.float32)
    formulas = {"2": np.clip(0.2 * x + 0.5, 0, 1), "3": np.clip(x + 3, 0, 6) / 6}
    found = np.asarray(keras.activations.hard_sigmoid(tf.constant(x)))
    np.testing.assert_allclose(found, formulas[HERE], atol=1e-6)
    assert np.abs(found - formulas[THERE]).max() > 0.05
    (problem,) = problems_of(
        rebuilt, "activations:build", arguments={"layer": "Dense"}, writer=WRITERS[THERE]
    )
    texts = {"2": OLD, "3": NEW}
    assert f"{texts[HERE]} in Keras {HERE} and {texts[THERE]} in Keras {THERE}" in problem.message


def test_the_defaults_in_the_message_are_true():
    gate = keras.layers.ConvLSTM2D(1, 1).cell.recurrent_activation
    kinds = {"2": keras.activations.hard_sigmoid, "3": keras.activations.sigmoid}
    assert gate is kinds[HERE]


def test_random_crop_resizes_at_inference_in_keras_2_alone():
    layer = keras.layers.RandomCrop(2, 3)
    found = layer(np.ones((1, 4, 6, 2), np.float32), training=False)
    assert tuple(found.shape) == {"2": (1, 2, 3, 2), "3": (1, 4, 6, 2)}[HERE]
    (problem,) = problems_of(rebuilt, "activations:cropped", writer=WRITERS[THERE])
    texts = {"2": "crops and resizes", "3": "passes the image through"}
    assert problem.severity is Severity.ERROR
    assert problem.message.index(texts[HERE]) < problem.message.index(texts[THERE])
    assert f'keras = "{THERE}"' in problem.hint
    assert not rebuilt("activations:cropped", writer=WRITERS[HERE]).problems


@pytest.mark.parametrize(
    "options",
    [
        {"writer": WRITERS[THERE], "keras": HERE},
        {"writer": WRITERS[THERE], "verify": Verify(golden=Path("golden.npz"))},
        {"writer": Writer.UNKNOWN, "keras": HERE},
        {"writer": Writer.UNKNOWN, "verify": Verify(golden=Path("golden.npz"))},
    ],
)
def test_a_warning_where_something_else_decides(options):
    problems = rebuilt("activations:build", arguments={"layer": "Dense"}, **options).problems
    assert [p.severity for p in problems] == [Severity.WARNING]


@pytest.mark.parametrize("layer", ["Dense", "ConvLSTM2D"])
def test_nothing_where_this_keras_wrote_the_file(layer):
    model = rebuilt("activations:build", arguments={"layer": layer}, writer=WRITERS[HERE])
    assert not model.problems


@pytest.mark.parametrize("writer", [*WRITERS.values(), Writer.UNKNOWN])
def test_a_function_of_ones_own_means_the_same_everywhere(writer):
    model = rebuilt("activations:build", arguments={"layer": "formula"}, writer=writer)
    assert not model.problems


def calls_of(entry_point, **options):
    job = make_job(f"activations:{entry_point}", X, **options)
    restored = as_restored(rebuild(job))
    with hard_sigmoid_calls([CODE]) as calls:
        trace(restored, "m", "not asked for")
    return calls, (), job


@pytest.mark.parametrize(
    ("entry_point", "who"),
    [
        ("Called", "layer called"),
        ("CalledOutOfADict", "layer called"),
        ("called_in_lambda", "layer gate"),
        ("CalledByAModule", "the model"),
    ],
)
@pytest.mark.parametrize("writer", [WRITERS[THERE], Writer.UNKNOWN])
def test_a_call_in_ones_own_code_is_named_with_its_line(entry_point, who, writer):
    problem = problem_of(called_changes, *calls_of(entry_point, writer=writer))
    assert problem.severity is Severity.ERROR
    assert f"{who} calls" in problem.message
    assert f'keras = "{THERE}"' in problem.hint
    line = (CODE / "activations.py").read_text().splitlines()[problem.where.line - 1]
    assert "hard_sigmoid(" in line or "kept[" in line


@pytest.mark.parametrize("options", [{"writer": WRITERS[HERE]}, {"keras": HERE}])
def test_a_call_is_no_error_where_its_meaning_is_known(options):
    problems = called_changes(*calls_of("Called", **options))
    assert all(problem.severity is Severity.WARNING for problem in problems)
    assert len(problems) == ("keras" in options)


def test_the_activation_of_a_layer_is_not_said_twice():
    options = {"arguments": {"layer": "LSTM"}, "keras": HERE}
    job = make_job("activations:build", **options)
    with hard_sigmoid_calls([CODE]) as calls:
        traced("activations:build", **options)
    assert calls
    assert called_changes(calls, (), job) == ()


def test_what_only_keras_3_has_is_not_meant():
    if not KERAS_3:
        pytest.skip("Keras 2 has no hard_silu")
    with hard_sigmoid_calls([CODE]) as calls:
        keras.activations.hard_silu(tf.ones((2, 2)))
    assert calls == []


@pytest.mark.skipif(not KERAS_3, reason="this is Keras 2 already")
def test_all_of_it_under_the_other_keras():
    pytest.importorskip("tf_keras")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout

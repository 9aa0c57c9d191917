"""`weights = "ema"`: the averages that the optimizer kept."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from architectures import build, inputs
from restoring import DATA, fresh, output, refusal, restored


def trained(keras, model, **options):
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, **options)
    model.compile(optimizer, "mse")
    for _ in range(3):
        model.train_on_batch(inputs("functional"), np.ones((3, 2), "float32"))
    return optimizer


def freeze(model, *kinds):
    for layer in model.layers:
        layer.trainable = type(layer).__name__ not in kinds
    return model


@pytest.fixture
def saved(tmp_path):
    """A checkpoint with the outputs of its raw and of its averaged weights."""
    keras = fresh()
    model = build("functional", keras)
    optimizer = trained(keras, model)
    raw = output(model, "functional")
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(tmp_path / "ck")
    optimizer.finalize_variable_values(model.trainable_variables)
    averaged = output(model, "functional")
    assert np.abs(averaged - raw).max() > 1e-3
    return tmp_path / "ck", raw, averaged


def test_keras_3(saved):
    path, raw, averaged = saved
    rebuilt = build("functional", fresh())
    restored(rebuilt, path)
    np.testing.assert_allclose(output(rebuilt, "functional"), raw, rtol=1e-5, atol=1e-6)
    found = restored(rebuilt, path, weights="ema")
    np.testing.assert_allclose(output(rebuilt, "functional"), averaged, rtol=1e-5, atol=1e-6)
    (note,) = found.binding.notes
    assert note.startswith("moving averages for 6 variables; 2 that are not trainable have none")
    assert "batch_normalization/moving_mean, batch_normalization/moving_variance" in note


@pytest.mark.parametrize("kinds", [("Dense",), ("Dense", "BatchNormalization")])
def test_layers_that_only_the_entry_point_freezes(kinds, saved):
    path, _, averaged = saved
    rebuilt = freeze(build("functional", fresh()), *kinds)
    found = restored(rebuilt, path, weights="ema")
    np.testing.assert_allclose(output(rebuilt, "functional"), averaged, rtol=1e-5, atol=1e-6)
    assert "moving averages for 6 variables" in found.binding.notes[0]


def test_layers_that_were_frozen_in_training(tmp_path):
    keras = fresh()
    model = freeze(build("functional", keras), "BatchNormalization")
    optimizer = trained(keras, model)
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(tmp_path / "ck")
    optimizer.finalize_variable_values(model.trainable_variables)

    rebuilt = freeze(build("functional", fresh()), "BatchNormalization")
    (note,) = restored(rebuilt, tmp_path / "ck", weights="ema").binding.notes
    golden = output(model, "functional")
    np.testing.assert_allclose(output(rebuilt, "functional"), golden, rtol=1e-5, atol=1e-6)
    assert "averages for 4 variables; 4 that are not trainable have none and are raw" in note

    problem = refusal(build("functional", fresh()), tmp_path / "ck", weights="ema")
    assert "no moving average for 2 of 6 trainable variables" in problem.message
    assert problem.details == ("batch_normalization/gamma", "batch_normalization/beta")
    assert "`trainable = False`" in problem.hint


def test_a_part_that_another_optimizer_trained_without_averages(tmp_path):
    keras = fresh()
    model = build("functional", keras)
    first, *rest = np.split(np.arange(6), [2])
    variables = model.trainable_variables
    one = keras.optimizers.SGD()
    one.build([variables[i] for i in first])
    two = keras.optimizers.SGD(0.1, use_ema=True)
    two.build([variables[i] for i in rest[0]])
    two.apply([tf.ones(v.shape) for v in variables[2:]])
    tf.train.Checkpoint(model=model, one=one, two=two).write(tmp_path / "ck")
    rebuilt = freeze(build("functional", fresh()), "Dense")
    problem = refusal(rebuilt, tmp_path / "ck", weights="ema")
    assert problem.details == ("dense/kernel", "dense/bias")


def test_averages_before_the_first_step_are_zeros(tmp_path):
    keras = fresh()
    model = build("functional", keras)
    optimizer = keras.optimizers.SGD(use_ema=True)
    optimizer.build(model.trainable_variables)
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(tmp_path / "ck")
    problem = refusal(build("functional", fresh()), tmp_path / "ck", weights="ema")
    assert "no moving average for 6 of 6" in problem.message
    assert "after its first step" in problem.hint


def test_keras_2():
    rebuilt = build("functional", fresh())
    restored(rebuilt, DATA / "ema" / "ck", weights="ema")
    golden = np.load(DATA / "ema" / "golden.npz")["y"]
    np.testing.assert_allclose(output(rebuilt, "functional"), golden, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_checkpoint_without_averages(frozen):
    rebuilt = freeze(build("functional", fresh()), *["Dense", "BatchNormalization"] * frozen)
    problem = refusal(rebuilt, DATA / "functional" / "ck-1", weights="ema")
    count = "8 of 8 variables" if frozen else "6 of 6 trainable variables"
    assert f"no moving average for {count}" in problem.message
    assert problem.details[0] == "dense/kernel"


@pytest.fixture
def student_and_teacher(tmp_path):
    """Keras 2 records averages by the names of variables, which both models have."""
    keras = pytest.importorskip("tf_keras")

    def save(*, compiled):
        models = [keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, name="one")])]
        models.append(keras.models.clone_model(models[0]))
        optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
        if compiled:
            models[0].compile(optimizer, "mse")
        optimizer.build(models[0].trainable_variables)
        for _ in range(3):
            gradients = [tf.ones(v.shape) for v in models[0].trainable_variables]
            optimizer.apply_gradients(zip(gradients, models[0].trainable_variables, strict=True))
        parts = dict(zip(("student", "teacher"), models, strict=True))
        tf.train.Checkpoint(**parts, optimizer=optimizer).write(tmp_path / "ck")
        optimizer.finalize_variable_values(models[0].trainable_variables)
        return tmp_path / "ck", output(models[0], "functional")

    return save


def one_layer(keras):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, name="one")])


def test_averages_of_the_model_that_holds_the_optimizer(student_and_teacher):
    path, averaged = student_and_teacher(compiled=True)
    student, teacher = one_layer(fresh()), one_layer(fresh())
    restored(student, path, weights="ema", root="student")
    np.testing.assert_allclose(output(student, "functional"), averaged, rtol=1e-5, atol=1e-6)
    problem = refusal(teacher, path, weights="ema", root="teacher")
    assert "no moving average for 2 of 2 trainable variables" in problem.message


@pytest.mark.parametrize("root", ["student", "teacher"])
def test_averages_that_may_be_of_either_model(root, student_and_teacher):
    path, _ = student_and_teacher(compiled=False)
    problem = refusal(one_layer(fresh()), path, weights="ema", root=root)
    assert "Nothing tells whose the moving averages of 2 variables are" in problem.message
    assert "2 of its values are called 'one/kernel'" in problem.message
    (details, _) = problem.details
    assert "student/layer_with_weights-0/kernel, teacher/layer_with_weights-0/kernel" in details

"""Layers without weights that the file speaks of and the model lacks, or the other way round."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
from cases import KERAS_3, as_restored, make_job, signature

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import tensorflow as tf

from ckpt_action.checkpoint.identify import identify
from ckpt_action.engine.layers.same_layers import same_layers
from ckpt_action.engine.layers.stored_layers import other_layers
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.errors import Severity
from ckpt_action.outcome import (
    ArtifactOutcome,
    CheckpointRecord,
    JobOutcome,
    OutputVerdict,
    Proof,
    SignatureRecord,
    TensorRecord,
)
from ckpt_action.status import Status, job_status

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 3 writes these files")
L = keras.layers


def functional(*stack, dropout=True):
    """Conv2D, the layers of `stack`, a pooling, Dense; a nested model with an activation."""
    x = keras.Input((8, 8, 3))
    y = L.Conv2D(4, 3, activation="relu")(x)
    for layer in stack:
        y = layer(y)
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.ReLU()], name="inner")
    y = inner(L.GlobalAveragePooling2D()(y))
    return keras.Model(x, L.Dense(2)(L.Dropout(0.1)(y) if dropout else y) + 1.0)


def sequential(*stack, dropout=True):
    last = [L.Dropout(0.1)] if dropout else []
    return keras.Sequential([keras.Input((6,)), L.Dense(4), *stack, *last, L.Dense(2)])


FORMS = ("keras", "h5", "weights.h5", "graph")


def saved(model, form, folder):
    path = folder / f"model.{form}"
    if form == "graph":
        tf.train.Checkpoint(model=model).write(str(path))
        return identify(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras thinks little of its own HDF5
        (model.save_weights if form == "weights.h5" else model.save)(str(path))
    return identify(path)


@pytest.mark.parametrize("make", [functional, sequential])
@pytest.mark.parametrize("form", FORMS)
def test_the_same_code_has_the_same_layers(make, form, tmp_path):
    file = saved(make(L.Rescaling(0.5)), form, tmp_path)
    assert other_layers(make(L.Rescaling(0.5)), file, "model") is None


@pytest.mark.parametrize("make", [functional, sequential])
@pytest.mark.parametrize("form", FORMS)
def test_a_layer_that_one_side_lacks_is_named(make, form, tmp_path):
    whole, part = make(L.Rescaling(0.5)), make()
    only_file, only_model = other_layers(part, saved(whole, form, tmp_path), "model")
    if form == "graph":
        assert int(only_file[0].split()[0]) == int(only_model[0]) + 1
    else:
        assert only_model == []
        assert only_file[0].lower().startswith("rescaling")
    (tmp_path / "other").mkdir()
    back = other_layers(whole, saved(part, form, tmp_path / "other"), "model")
    assert back is not None


@pytest.mark.parametrize("form", ["keras", "h5"])
@pytest.mark.parametrize(
    ("trained", "built", "named"),
    [
        (L.Activation("gelu"), L.Activation("relu"), "activation=gelu"),
        (L.Rescaling(0.5), L.Rescaling(0.25), "scale=0.5"),
        (L.MaxPooling2D(2, padding="same"), L.MaxPooling2D(2), "padding=same"),
    ],
)
def test_settings_that_the_file_tells_are_compared(form, trained, built, named, tmp_path):
    file = saved(functional(trained), form, tmp_path)
    only_file, only_model = other_layers(functional(built), file, "")
    assert len(only_file) == len(only_model) == 1
    assert named in only_file[0]


@pytest.mark.parametrize("form", ["keras", "h5", "weights.h5"])
def test_layers_that_only_train_may_be_left_out(form, tmp_path):
    file = saved(functional(L.Rescaling(0.5)), form, tmp_path)
    assert other_layers(functional(L.Rescaling(0.5), dropout=False), file, "") is None


@pytest.mark.parametrize("form", FORMS)
def test_the_trained_model_may_be_a_part_of_another(form, tmp_path):
    file = saved(sequential(L.Rescaling(0.5)), form, tmp_path)
    x = keras.Input((6,))
    around = keras.Model(x, L.Softmax()(sequential(L.Rescaling(0.5))(x)))
    assert other_layers(around, file, "model") is None


@pytest.mark.parametrize("form", ["weights.h5", "graph"])
def test_it_is_told_with_an_open_proof_where_the_layers_have_names(form, tmp_path):
    job = make_job("models:functional_named", signature(image=("float32", "batch", 4, 4, 3)))
    restored = as_restored(rebuild(job))
    trained = keras.Sequential([restored.rebuilt.model, L.Rescaling(0.5), L.Rescaling(0.5)])
    job = replace(job, checkpoint=saved(trained, form, tmp_path))
    restored = replace(restored, binding=replace(restored.binding, root="model"))
    proofs, (warning,) = same_layers(restored, job)
    assert warning.severity is Severity.WARNING
    assert "not built as the one that was trained" in warning.message
    assert [p.passed for p in proofs] == ([None] if form == "weights.h5" else [])


@pytest.mark.parametrize("proof", ["layers", "origin", "statistics"])
@pytest.mark.parametrize(
    ("against", "status"), [("reference", Status.UNPROVEN), ("golden", Status.PROVEN)]
)
def test_golden_values_decide(against, status, proof):
    verdict = OutputVerdict(
        signature="s", output="y", against=against, probe="p", dtype="float32", shape=(1,),
        passed=True, rtol=1e-5,
    )  # fmt: skip
    signature = SignatureRecord(
        name="s", inputs=(), outputs=(TensorRecord(name="y", dtype="float32", shape=(1,)),)
    )
    shown = [Proof(name=name, passed=True) for name in ("signature", "payload", "values")]
    job = JobOutcome(
        name="m", model="m", entry_point="",
        checkpoint=CheckpointRecord(path="", kind="", writer="", step=None, sha256="", bytes=0),
        proofs=(Proof(name=proof, passed=None, detail="other", signature="s"),),
        verdicts=(verdict,),
        artifacts=(
            ArtifactOutcome(
                format="saved-model", name="m", folder="m", signatures=(signature,),
                proofs=tuple(shown), verdicts=(verdict,),
            ),
        ),
    )  # fmt: skip
    assert job_status(job) is status

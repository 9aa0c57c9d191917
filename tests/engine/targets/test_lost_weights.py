"""Weights in fewer bits that no ordinary probe feels, and golden rows that are too few to tell."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model
from networks import NETWORKS

from ckpt_action.codec import to_data
from ckpt_action.config.records import TargetSpec, Verify
from ckpt_action.engine import verify_job
from ckpt_action.engine.prove.inputs.golden_rows import weak_golden
from ckpt_action.engine.prove.inputs.probe_file import save_probes
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.prove.model.scaled import scaled_probes
from ckpt_action.engine.targets import registry
from ckpt_action.processes.requests import VerifyRequest, quantised

TFLITE = registry()["tflite"]
COLUMNS = 32
SEEDED = Verify()


def noise(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class Dense(tf.Module):
    """Two layers; the first `small` columns have weights that are `by` times smaller."""

    def __init__(self, small: int = 0, by: float = 1.0):
        super().__init__()
        scales = np.where(np.arange(COLUMNS) < small, by, 1.0)[:, None]
        self.hidden = tf.Variable((noise(COLUMNS, 64) / scales / 4).astype("float32"))
        self.out = tf.Variable(noise(64, 5, seed=4))

    def __call__(self, x):
        return {"y": tf.tanh(x @ self.hidden) @ self.out}


def model_of(module, rows="batch"):
    return traced_model(module, traced(module, spec("x", "float32", rows, COLUMNS)))


def verified(model, folder, verify=SEEDED, corrupt=None, **options):
    """What the verifying child finds of a TFLite file; `corrupt` changes the model for as long as
    that is written."""
    reference = make_reference(model, verify)
    assert reference.problems == ()
    (folder / "file").mkdir()
    with (corrupt or tf.name_scope)("corrupt"):
        written = TFLITE.export(model, folder / "file", options)
    save_probes(folder / "probes.npz", reference.probes + scaled_probes(model, reference.probes))
    request = VerifyRequest(
        format="tflite",
        name="phone",
        folder=folder / "file",
        signatures=written.signatures,
        variables={},
        payloads={},
        max_error=written.max_error or written.rounding,
        quantised=quantised(TargetSpec(format="tflite", name="phone", options=options)),
        weak_golden=weak_golden(reference.probes, written.measured_on),
        verify=verify,
        probes=folder / "probes.npz",
    )
    result = verify_job.run(to_data(request), folder)
    (values,) = (p for p in result.proofs if p.name == "values")
    return values, [p for p in result.problems if "edges" not in p.message]


def golden_of(module, x, folder) -> Verify:
    np.savez(folder / "golden.npz", in_x=x, out_y=module(x)["y"].numpy())
    return Verify(golden=folder / "golden.npz")


@pytest.mark.parametrize(
    ("small", "by", "how", "said"),
    [
        (1, 1e9, "float16", "column 0 of input 'x' (up to 1e9 times"),
        (16, 2000.0, "dynamic-range", "columns 0, 1, 2, 3, 4 and 11 more of input 'x'"),
    ],
)
def test_weights_of_columns_that_no_probe_feels_are_not_shown(small, by, how, said, tmp_path):
    values, (problem,) = verified(model_of(Dense(small, by)), tmp_path, quantize=how)
    assert values.passed is None
    assert said in values.detail
    assert said in problem.message
    assert "Normalization" in problem.hint
    assert not problem.is_error


@pytest.mark.parametrize(
    ("small", "by", "how"), [(16, 2000.0, "float16"), (16, 3.0, "dynamic-range")]
)
def test_weights_that_the_bits_hold_are_shown(small, by, how, tmp_path):
    values, problems = verified(model_of(Dense(small, by)), tmp_path, quantize=how)
    assert values.passed, values.detail
    assert problems == []


def test_golden_rows_that_are_many_say_which_columns_are_large(tmp_path):
    module = Dense(16, 2000.0)
    verify = golden_of(module, noise(8, COLUMNS), tmp_path)
    values, _ = verified(model_of(module), tmp_path, verify, quantize="dynamic-range")
    assert values.passed, values.detail


def test_few_golden_rows_do_not(tmp_path):
    module = Dense(16, 2000.0)
    verify = golden_of(module, noise(7, COLUMNS), tmp_path)
    values, (problem,) = verified(model_of(module), tmp_path, verify, quantize="dynamic-range")
    assert values.passed is None
    assert "may have lost weights" in problem.message


@pytest.mark.parametrize(
    "name", ["cnn", "depthwise_separable", "transposed_group_norm", "causal_conv1d", "bilstm_gru",
             "several_inputs_and_outputs", "attention_exact_gelu"],
)  # fmt: skip
def test_every_column_of_an_ordinary_network_is_felt_as_it_is(name):
    model = NETWORKS[name]().model
    assert scaled_probes(model, make_reference(model, SEEDED).probes) == ()


@pytest.mark.parametrize("rows", ["batch", 1, 3])
def test_columns_are_made_as_large_as_the_model_wants_them(rows):
    model = model_of(Dense(2, 1e5), rows)
    (probe,) = scaled_probes(model, make_reference(model, SEEDED).probes)
    assert probe.scaled.startswith("columns 0, 1 of input 'x'")
    sizes = np.abs(probe.inputs["x"]).max(0)
    assert (sizes[:2] > 1e3).all()
    assert (sizes[2:] < 10).all()


def still(x):
    """The first column moves nothing."""
    return {"y": x * np.where(np.arange(COLUMNS), 1.0, 0.0).astype("float32")}


def counts(x):
    """The first column says how many numbers are added up."""
    ones = tf.ones(tf.cast(tf.abs(x[:1, 0]), tf.int32))
    return {"y": x[:, 1:] + 1e-9 * tf.reduce_sum(ones)}


@pytest.mark.parametrize("call", [still, counts])
def test_a_column_that_moves_nothing_and_one_that_is_a_size_stay_as_they_are(call):
    signature = traced(call, spec("x", "float32", "batch", COLUMNS))
    model = traced_model(tf.Module(), signature)
    assert scaled_probes(model, make_reference(model, SEEDED).probes) == ()


class Wrong:
    """The model with another kernel, for as long as it is written."""

    def __init__(self, module):
        self.module = module

    def __call__(self, _):
        return self

    def __enter__(self):
        self.kept = self.module.hidden.numpy()
        self.module.hidden.assign(self.kept[::-1])

    def __exit__(self, *_):
        self.module.hidden.assign(self.kept)


def test_a_golden_file_that_cannot_tell_hides_nothing(tmp_path):
    module = Dense()
    alike = np.ones((9, COLUMNS), np.float32)
    verify = golden_of(module, alike, tmp_path)
    values, problems = verified(model_of(module), tmp_path, verify, corrupt=Wrong(module))
    assert values.passed is False
    assert any("than the restored model" in p.message and "sample 0" in p.message for p in problems)


@pytest.mark.parametrize(
    ("golden", "measured", "why"),
    [
        (slice(0, 1), slice(0, 1), "8 different golden rows are the least"),
        (slice(0, 20), slice(0, 20), "20 of the 20 golden rows are among the 20 rows of"),
        (slice(0, 20), slice(20, 200), ""),
        (slice(0, 20), slice(0, 200), ""),
    ],
)
def test_integers_that_were_fitted_to_the_golden_rows_are_not_shown_by_these(
    golden, measured, why, tmp_path, monkeypatch
):
    rows = noise(200, COLUMNS) / 10
    module = Dense()
    samples = types.ModuleType("samples_of_few")
    samples.give = lambda: [{"x": row[None]} for row in rows[measured]]
    monkeypatch.setitem(sys.modules, "samples_of_few", samples)
    verify = golden_of(module, rows[golden], tmp_path)
    values, _ = verified(
        model_of(module), tmp_path, verify,
        quantize="int8", **{"representative-data": "samples_of_few:give"},
    )  # fmt: skip
    assert values.passed is (None if why else True), values.detail
    assert why in values.detail

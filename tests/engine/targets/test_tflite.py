"""TFLite: what goes wrong in silence elsewhere, and each option."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import keras_cases
import module_cases
import networks
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from handmade import Case, assert_equal, spec, traced, traced_model

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.prove.outputs.judgement import error_and_agreement, judge, with_agreement
from ckpt_action.engine.prove.outputs.spread import allowances
from ckpt_action.engine.saved_model import apart
from ckpt_action.engine.stored_weights import held_values
from ckpt_action.engine.targets import registry
from ckpt_action.engine.tflite.artifact import constants
from ckpt_action.errors import CkptActionError, ExitCode, Severity

TFLITE = registry()["tflite"]
SAMPLES = "representative_samples:give"


def verdicts(case, outputs, max_error):
    signature = next(iter(case.inputs))
    probe = Probe(signature=signature, label="", inputs={}, reference=case.live(signature))
    allowed = allowances([probe], max_error)
    found = judge(probe, outputs, Verify(), against="reference", allowed=allowed)
    return with_agreement(found, probe, outputs)


@pytest.fixture
def samples(monkeypatch):
    """A module of the user's whose `give` can be set."""
    module = types.ModuleType("representative_samples")
    monkeypatch.setitem(sys.modules, "representative_samples", module)

    def set_to(give):
        module.give = give
        return {"quantize": "int8", "representative-data": SAMPLES}

    return set_to


@pytest.fixture(scope="module")
def cnn() -> Case:
    return networks.NETWORKS["cnn"]()


def test_importing_the_runtime_warns_of_nothing():
    program = "import ai_edge_litert.interpreter, ai_edge_litert.schema_py_generated"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(tf.keras.__version__ < "3", reason="Keras 2 stores its variables once")
def test_a_file_without_its_weights_is_seen(cnn, tmp_path):
    """The usual way, from a SavedModel that holds the Keras object: no error, and no weights."""
    tf.saved_model.save(cnn.keep, str(tmp_path / "saved"))
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    (tmp_path / "model.tflite").write_bytes(converted)
    held = held_values(cnn.model.variables, constants(converted))
    assert not held.payloads
    artifact = TFLITE.open_artifact(tmp_path, ())
    (signature,) = artifact.signatures()
    inputs = {signature.inputs[0].name: cnn.inputs["serving_default"]["x"]}
    outputs = artifact.run(signature.name, inputs)
    found = verdicts(cnn, {"logits": next(iter(outputs.values()))}, 1e-4)
    assert not any(v.passed for v in found)


def test_nan_never_agrees(cnn):
    reference = cnn.live("serving_default")["logits"]
    (verdict,) = verdicts(cnn, {"logits": np.full_like(reference, np.nan)}, 10.0)
    assert not verdict.passed
    assert verdict.agreement == 0.0


def keras_2_lstm() -> Case:
    keras = pytest.importorskip("tf_keras")
    model = keras.Sequential(
        [keras.layers.Input((6, 5), batch_size=1), keras.layers.LSTM(8), keras.layers.Dense(3)]
    )
    x = np.random.default_rng(1).normal(size=(1, 6, 5)).astype("float32")
    signature = traced(lambda x: {"y": model(x, training=False)}, spec("x", "float32", 1, 6, 5))
    return Case(
        model=traced_model(model, signature), inputs={"serving_default": {"x": x}}, keep=model
    )


def test_the_layer_of_keras_2_is_named_from_outside_of_its_function(tmp_path):
    keras = pytest.importorskip("tf_keras")
    model = keras.Sequential([keras.layers.Input((6, 5)), keras.layers.LSTM(8, name="memory")])
    signature = traced(
        lambda x: {"y": model(x, training=False)}, spec("x", "float32", "batch", 6, 5)
    )
    with pytest.raises(CkptActionError, match=r"recurrent layer '[a-z_0-9]+/memory' needs a batch"):
        TFLITE.export(traced_model(model, signature), tmp_path, {})


def twice(case: Case, folder: Path) -> list[np.ndarray]:
    """Two calls of one interpreter, as an application makes them."""
    TFLITE.export(case.model, folder, {})
    interpreter = Interpreter(model_path=str(folder / f"{case.model.name}.tflite"))
    runner = interpreter.get_signature_runner("serving_default")
    return [runner(**case.inputs["serving_default"])["y"].copy() for _ in range(2)]


def test_a_second_call_does_not_go_on_from_the_first(tmp_path, monkeypatch):
    case = keras_2_lstm()
    wanted = case.live("serving_default")["y"]
    for found in twice(case, tmp_path):
        assert np.abs(found - wanted).max() < 1e-6
    monkeypatch.setattr(apart, "_drop_variants", lambda meta: None)
    fused = tmp_path / "fused"
    fused.mkdir()
    first, second = twice(case, fused)
    assert np.abs(first - wanted).max() < 1e-6
    assert np.abs(second - wanted).max() > 1e-3


SIZES = {
    "causal_conv1d": ((1, 9), (5, 20), (2, 33)),
    "attention_tanh_gelu": ((1, 4), (5, 12)),
    "bilstm_gru_one_row": ((1, 3), (1, 12)),
    "masked_lstm_one_row": ((1, 2), (1, 11)),
    "depthwise_separable": ((1,), (7,)),
    "transposed_group_norm": ((1,), (5,)),
    "several_inputs_and_outputs": ((1,), (6,)),
}
"""Network to what its free dimensions are; the first of them of every input, as declared."""


@pytest.mark.parametrize(
    "name",
    [n if n.startswith(("c", "s")) else pytest.param(n, marks=pytest.mark.slow) for n in SIZES],
)
def test_free_dimensions_take_other_sizes(name, tmp_path):
    case = networks.NETWORKS[name]()
    TFLITE.export(case.model, tmp_path, {})
    artifact = TFLITE.open_artifact(tmp_path, ())
    for sizes in SIZES[name]:
        inputs = {k: resized(v, sizes) for k, v in case.inputs["serving_default"].items()}
        wanted = case.model.signatures[0].function(**{k: tf.constant(v) for k, v in inputs.items()})
        found = artifact.run("serving_default", inputs)
        assert_equal(found, {k: v.numpy() for k, v in wanted.items()})


def resized(value: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Values of the same kind, with other first dimensions."""
    shape = (*sizes, *value.shape[len(sizes) :])
    return np.random.default_rng(sum(sizes)).choice(value.reshape(-1), shape)


def test_several_signatures_are_in_one_file(tmp_path):
    case = module_cases.CASES["several_signatures"]()
    TFLITE.export(case.model, tmp_path, {})
    artifact = TFLITE.open_artifact(tmp_path, ())
    assert [s.name for s in artifact.signatures()] == sorted(case.inputs)
    for signature, inputs in case.inputs.items():
        assert_equal(artifact.run(signature, inputs), case.live(signature))


@pytest.mark.parametrize(("quantize", "part"), [("float16", 0.6), ("dynamic-range", 0.45)])
def test_quantised_weights_are_smaller_and_near(quantize, part, tmp_path):
    case = _large_dense()
    plain, small = tmp_path / "plain", tmp_path / "small"
    for folder, options in ((plain, {}), (small, {"quantize": quantize})):
        folder.mkdir()
        written = TFLITE.export(case.model, folder, options)
    sizes = [next(f.glob("*.tflite")).stat().st_size for f in (plain, small)]
    assert sizes[1] < part * sizes[0]
    assert written.notes == ()
    outputs = TFLITE.open_artifact(small, ()).run("serving_default", case.inputs["serving_default"])
    found = verdicts(case, outputs, written.max_error)
    assert all(v.passed for v in found)
    assert "the same class wins in" in error_and_agreement(found)
    assert not all(v.passed for v in verdicts(case, outputs, 1e-6))
    held = {*written.payloads.values()}
    assert held
    assert len(held) + len(written.transformed) == len(case.model.variables)


def test_a_model_too_small_to_be_quantised_is_named(tmp_path):
    case = keras_cases.CASES["dense"]()
    (note,) = TFLITE.export(case.model, tmp_path, {"quantize": "dynamic-range"}).notes
    assert note.severity is Severity.NOTE
    assert "quantised nothing" in note.message
    assert "1024 values and more" in note.message


def test_memory_that_runs_out_is_not_called_a_fault_of_the_model(monkeypatch, cnn, tmp_path):
    class Exhausted(types.SimpleNamespace):
        def convert(self):
            raise MemoryError

    converter = Exhausted(target_spec=types.SimpleNamespace())
    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_saved_model", lambda *_, **__: converter)
    with pytest.raises(MemoryError):
        TFLITE.export(cnn.model, tmp_path, {})


def _large_dense() -> Case:
    model = tf.keras.Sequential(
        [tf.keras.layers.Input((64,)), tf.keras.layers.Dense(64, "relu"), tf.keras.layers.Dense(5)]
    )
    x = np.random.default_rng(1).normal(size=(8, 64)).astype("float32")
    return keras_cases.of_keras(model, x, "batch", 64)


def test_int8_is_measured_on_the_users_data(cnn, samples, tmp_path):
    rows = np.random.default_rng(2).normal(size=(100, 1, 16, 16, 3)).astype("float32")
    options = samples(lambda: ({"x": row} for row in rows))
    written = TFLITE.export(cnn.model, tmp_path, options)
    assert written.unproven.keys() == {"payload"}
    details = Interpreter(str(next(tmp_path.glob("*.tflite")))).get_tensor_details()
    dtypes = {np.dtype(d["dtype"]).name for d in details}
    assert dtypes <= {"int8", "int32", "float32"}
    assert "int8" in dtypes
    outputs = TFLITE.open_artifact(tmp_path, ()).run(
        "serving_default", cnn.inputs["serving_default"]
    )
    assert all(v.passed for v in verdicts(cnn, outputs, written.max_error))


def raises():
    raise RuntimeError("the data set is elsewhere")


@pytest.mark.parametrize(
    ("give", "says"),
    [
        (raises, "raised RuntimeError: the data set is elsewhere"),
        (list, "gives no sample for signature 'serving_default'"),
        (lambda: [np.zeros(3)], "gives a ndarray as sample 0"),
        (lambda: [{"y": np.zeros(3)}], r"gives inputs \['y'\] in sample 0"),
        (lambda: [{"x": np.zeros((1, 16, 16, 3))}], "as float64 of shape"),
        (lambda: [{"x": np.zeros((16, 16, 3), "float32")}], r"of shape \[16, 16, 3\]"),
        (lambda: [{"x": np.full((1, 16, 16, 3), np.nan, "float32")}], "NaN or infinity in 'x'"),
        (lambda: [("other", {})], "unknown signature 'other'"),
        (7, "is a int, not a function"),
    ],
)
def test_data_that_cannot_be_used_is_named(give, says, cnn, samples, tmp_path):
    with pytest.raises(CkptActionError, match=says) as refusal:
        TFLITE.export(cnn.model, tmp_path, samples(give))
    assert {p.code for p in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())


def test_int8_without_data_is_refused(cnn, tmp_path):
    with pytest.raises(CkptActionError, match="needs `representative-data`"):
        TFLITE.export(cnn.model, tmp_path, {"quantize": "int8"})


def test_a_loop_in_int8_is_refused_before_it_crashes(samples, tmp_path):
    case = networks.NETWORKS["masked_lstm_one_row"]()
    options = samples(lambda: [case.inputs["serving_default"]])
    with pytest.raises(CkptActionError, match=r"lstm.* cannot be quantised to int8"):
        TFLITE.export(case.model, tmp_path, options)


@pytest.mark.parametrize("data", [{}, {"representative-data": "absent:give"}])
def test_text_in_int8_is_refused_before_it_crashes(data, tmp_path):
    """Whether or not there are samples of it: no sample helps."""
    module = tf.Module()
    module.w = tf.Variable(np.eye(3, dtype="float32"))
    keys, places = ["red", "green"], tf.constant([1, 2], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, places), 0)
    signature = traced(
        lambda word: {"y": tf.gather(module.w, table.lookup(word))}, spec("word", "string", "n")
    )
    model = traced_model(module, signature, resources=(table,))
    with pytest.raises(CkptActionError, match=r"`word`.* is text.*crashes.* int8") as refusal:
        TFLITE.export(model, tmp_path, {"quantize": "int8", **data})
    (problem,) = refusal.value.problems
    assert problem.code is ExitCode.TARGET
    assert "outside of the model" in problem.hint
    assert "dynamic-range" in problem.hint
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def inverse() -> Case:
    module = tf.Module()
    module.w = tf.Variable(np.eye(4, dtype="float32") * 3)

    def call(x):
        with tf.name_scope("whitening"):
            return {"y": tf.linalg.inv(x @ module.w)}

    case = traced_model(module, traced(call, spec("x", "float32", 4, 4)))
    return Case(
        model=case, inputs={"serving_default": {"x": np.eye(4, dtype="float32")}}, keep=module
    )


def test_an_op_without_a_kernel_is_named_with_its_layer(inverse, tmp_path):
    with pytest.raises(CkptActionError, match=r"MatrixInverse \('whitening'\)") as refusal:
        TFLITE.export(inverse.model, tmp_path, {})
    assert "`select-tf-ops = true`" in refusal.value.problems[0].hint
    assert not list(tmp_path.iterdir())


def test_double_precision_is_named(tmp_path):
    module = tf.Module()
    module.w = tf.Variable(np.eye(3))
    signature = traced(lambda x: {"y": tf.tanh(x @ module.w)}, spec("x", "float64", "n", 3))
    with pytest.raises(CkptActionError, match="MatMul") as refusal:
        TFLITE.export(traced_model(module, signature), tmp_path, {})
    (problem,) = refusal.value.problems
    assert "computes in float32" in problem.hint
    assert problem.details == ()  # the converter's own log says no more


def test_tensorflows_own_kernels_are_written_when_asked_for_and_called_unproven(inverse, tmp_path):
    written = TFLITE.export(inverse.model, tmp_path, {"select-tf-ops": True})
    assert "MatrixInverse" in written.unproven["values"]
    (warning,) = written.notes
    assert "nothing shows that it computes" in warning.message
    artifact = TFLITE.open_artifact(tmp_path, ())
    assert [s.name for s in artifact.signatures()] == ["serving_default"]
    with pytest.raises(CkptActionError, match="LiteRT"):
        artifact.run("serving_default", inverse.inputs["serving_default"])


def test_select_tf_ops_changes_nothing_where_nothing_needs_it(cnn, tmp_path):
    written = TFLITE.export(cnn.model, tmp_path, {"select-tf-ops": True})
    assert written.unproven == {}
    assert written.notes == ()

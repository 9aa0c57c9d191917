"""SavedModels: tables, state, names, and exactly the declared content."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from elsewhere import open_elsewhere
from handmade import Case, assert_equal, spec, traced, traced_model
from module_cases import Weights

from ckpt_action.engine.records import ModelVariable, TracedModel
from ckpt_action.engine.saved_model.tree import variable_tree
from ckpt_action.engine.targets import saved_model
from ckpt_action.errors import CkptActionError, ExitCode

X = spec("x", "float32", "n", 4)
ROWS = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def with_tables(folder: Path) -> Case:
    """A table from a vocabulary file (an asset), and one from values in the graph."""
    m = Weights()
    vocabulary = folder / "words.txt"
    vocabulary.write_text("a\nb\nc\n")
    m.index = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(vocabulary), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        ), 2,
    )  # fmt: skip
    entries = tf.lookup.KeyValueTensorInitializer([0, 1, 2, 3, 4], list("vwxyz"), tf.int64)
    m.back = tf.lookup.StaticHashTable(entries, "?")

    def call(word):
        ids = m.index.lookup(word)
        return {"rows": tf.gather(m.e, ids), "word": m.back.lookup(ids)}

    model = traced_model(m, traced(call, spec("word", "string", "n")), resources=(m.index, m.back))
    words = np.array([b"b", b"c", b"unknown"], object)
    return Case(model=model, inputs={"serving_default": {"word": words}}, keep=m)


def stateful() -> Case:
    m = Weights()
    m.n = tf.Variable(0.0, name="calls")

    def call(x):
        return {"y": x @ m.w + m.n.assign_add(1.0)}

    return Case(
        model=traced_model(m, traced(call, X)), inputs={"serving_default": {"x": ROWS}}, keep=m
    )


def test_tables_assets_and_state_survive_in_another_process(tmp_path):
    vocabulary = tmp_path / "source"
    vocabulary.mkdir()
    cases = {"tables": with_tables(vocabulary), "state": stateful()}
    for name, case in cases.items():
        saved_model.export(case.model, tmp_path / name, {})
    (vocabulary / "words.txt").unlink()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    tables, state = open_elsewhere(
        [("saved-model", tmp_path / name, case.inputs) for name, case in cases.items()], scratch
    )
    assert not tables.error
    assert tables.outputs["serving_default"]["word"].tolist()[:2] == [b"w", b"x"]
    assert_equal(
        tables.outputs["serving_default"], cases["tables"].live("serving_default"), exactly=True
    )
    # Each call starts from what the files hold: the counter was 0 when they were written.
    first, second = state.outputs["serving_default"], state.again["serving_default"]
    assert_equal(first, second, exactly=True)
    assert_equal(first, cases["state"].live("serving_default"))
    assert (tmp_path / "tables" / "assets" / "words.txt").read_text() == "a\nb\nc\n"


def test_checkpoint_keys_are_the_paths_of_the_variables(tmp_path):
    case = keras_cases.dense()
    written = saved_model.export(case.model, tmp_path, {})
    stored = dict(tf.train.list_variables(str(tmp_path / "variables" / "variables")))
    stored.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    assert set(stored) == set(written.payloads)
    for key, path in written.payloads.items():
        assert key == f"model/{path}/.ATTRIBUTES/VARIABLE_VALUE"


def test_paths_that_repeat_or_begin_others_keep_their_values(tmp_path):
    paths = ["a", "a/b", "a", "a/b/c", "x.y//z"]
    values = [tf.Variable(np.full(3, i, "float32")) for i in range(len(paths))]
    signature = traced(lambda x: {"y": sum(v * x for v in values)}, spec("x", "float32", 3))
    variables = tuple(ModelVariable(path=p, variable=v) for p, v in zip(paths, values, strict=True))
    _, keys = variable_tree(variables)
    assert sorted(keys.values()) == sorted(paths)
    model = TracedModel(name="tiny", signatures=(signature,), variables=variables)
    written = saved_model.export(model, tmp_path, {})
    reader = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables"))
    found = sorted((written.payloads[k], reader.get_tensor(k)[0]) for k in written.payloads)
    assert found == sorted((p, float(i)) for i, p in enumerate(paths))


def test_the_graph_holds_one_handle_per_variable(tmp_path):
    """Loaders of sessions and converters find a variable by its handle, and lose a second one."""
    from tensorflow.core.protobuf import saved_model_pb2

    case = keras_cases.convolutions()
    saved_model.export(case.model, tmp_path, {})
    model = saved_model_pb2.SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes())
    handles = [n for n in model.meta_graphs[0].graph_def.node if n.op == "VarHandleOp"]
    assert len(handles) == len(case.model.variables)
    assert len({n.attr["shared_name"].s for n in handles}) == len(handles)


def test_an_untracked_resource_is_refused_by_name(tmp_path):
    m, hidden = Weights(), tf.Variable(np.eye(4, dtype="float32"), name="hidden")
    model = traced_model(m, traced(lambda x: {"y": x @ m.w @ hidden}, X))
    with pytest.raises(CkptActionError, match="not found in the model") as caught:
        saved_model.export(model, tmp_path, {})
    (problem,) = caught.value.problems
    assert problem.code is ExitCode.TARGET
    assert problem.hint
    assert any("hidden" in line for line in problem.details)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda r: {"inputs": ()}, "input x: declared None, written float32"),
        (lambda r: {"outputs": (replace(r.outputs[0], dtype="float64"),)}, "declared float64"),
        (
            lambda r: {"outputs": (replace(r.outputs[0], shape=(None, 7)),)},
            "declared float32 [?, 7]",
        ),
        (lambda r: {"inputs": (replace(r.inputs[0], shape=(2, 4)),)}, "declared float32 [2, 4]"),
        (lambda r: {"name": "other"}, "'other' is missing"),
    ],
)
def test_a_signature_that_differs_from_the_declaration_fails(change, line, tmp_path):
    m = Weights()
    signature = traced(lambda x: {"y": x @ m.w}, X)
    record = replace(signature.record, **change(signature.record))
    model = traced_model(m, replace(signature, record=record))
    with pytest.raises(CkptActionError, match="other signatures") as caught:
        saved_model.export(model, tmp_path, {})
    assert re.search(re.escape(line), "\n".join(caught.value.problems[0].details))


def test_a_size_that_tensorflow_leaves_open_is_no_other_signature(tmp_path):
    m = Weights()
    signature = traced(lambda x: {"y": tf.reshape(x @ m.w, [tf.shape(x)[0], -1, 2])}, X)
    (output,) = signature.record.outputs
    assert output.shape == ("n", 2, 2)
    assert tuple(signature.function.structured_outputs["y"].shape) == (None, None, 2)
    written = saved_model.export(traced_model(m, signature), tmp_path, {})
    assert written.signatures[0].outputs[0].shape == ("n", 2, 2)


@pytest.mark.parametrize("name", module_cases.CASES)
def test_a_saved_model_equals_the_model(name, tmp_path):
    case = module_cases.CASES[name]()
    saved_model.export(case.model, tmp_path, {})
    artifact = saved_model.open_artifact(tmp_path, ())
    for signature, feeds in case.inputs.items():
        assert_equal(artifact.run(signature, feeds), case.live(signature))


def test_a_damaged_saved_model_is_told(tmp_path):
    with pytest.raises(CkptActionError, match="cannot be read"):
        saved_model.open_artifact(tmp_path, ())
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(CkptActionError, match="cannot be read"):
        saved_model.open_artifact(tmp_path, ())

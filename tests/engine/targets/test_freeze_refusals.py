"""What a GraphDef cannot hold is refused by name, with a way out and an empty folder."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from handmade import spec, traced, traced_model, variables_of
from module_cases import Weights

from ckpt_action.engine import freeze
from ckpt_action.engine.freeze import size as limits
from ckpt_action.engine.freeze.size import size_of
from ckpt_action.engine.prepare import optimize
from ckpt_action.engine.records import TracedModel
from ckpt_action.engine.targets import frozen_graph
from ckpt_action.errors import CkptActionError, ExitCode

X = spec("x", "float32", "n", 4)


def refusal(model: TracedModel, folder) -> str:
    with pytest.raises(CkptActionError) as caught:
        frozen_graph.export(model, folder, {})
    assert list(folder.iterdir()) == []
    for problem in caught.value.problems:
        assert problem.code is ExitCode.TARGET
        assert problem.hint
    return "\n".join(str(problem) for problem in caught.value.problems)


def test_a_lookup_table(tmp_path):
    m = Weights()
    entries = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
    m.table = tf.lookup.StaticHashTable(entries, -1)
    signature = traced(
        lambda word: {"y": tf.gather(m.e, tf.maximum(m.table.lookup(word), 0))},
        spec("word", "string", "n"),
    )
    text = refusal(traced_model(m, signature, resources=(m.table,)), tmp_path)
    assert "lookup table" in text
    assert "LookupTableFindV2" in text
    assert "`saved-model`" in text


def test_a_lookup_table_inside_a_loop(tmp_path):
    m = Weights()
    entries = tf.lookup.KeyValueTensorInitializer([1, 2], [1, 2])
    m.table = tf.lookup.StaticHashTable(entries, 0)

    one = tf.constant(1)

    def call(x):
        loop = tf.while_loop(
            lambda i, _: i < 3, lambda i, y: (i + m.table.lookup(one), y @ m.w), (0, x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 4])),
        )  # fmt: skip
        return {"y": loop[1]}

    text = refusal(traced_model(m, traced(call, X), resources=(m.table,)), tmp_path)
    assert "lookup table" in text


@pytest.mark.parametrize("read_after", [True, False])
def test_a_counter(read_after, tmp_path):
    m = Weights()
    m.n = tf.Variable(0.0, name="calls")

    def call(x):
        y = x @ m.w + m.n
        m.n.assign_add(1.0)
        return {"y": y + m.n if read_after else y}

    text = refusal(traced_model(m, traced(call, X)), tmp_path)
    assert "'calls' is written at every call" in text
    assert "AssignAddVariableOp" in text


def test_a_stateful_recurrent_layer_and_what_to_do(tmp_path):
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [layers.Input(batch_shape=(2, 5, 3)), layers.LSTM(4, stateful=True)]
    )
    signature = traced(lambda x: {"y": model(x, training=False)}, spec("x", "float32", 2, 5, 3))
    owner = tf.Module()
    owner.v = [
        v if isinstance(v, tf.Variable) else v.value
        for v in (*model.weights, *model.layers[-1].states)
    ]
    text = refusal(traced_model(owner, signature), tmp_path)
    assert text.count("AssignVariableOp '") == 2
    assert "stateful=False" in text


def test_an_op_on_the_variable_itself(tmp_path):
    m = Weights()

    def call(x):
        there = tf.raw_ops.VarIsInitializedOp(resource=m.w.handle)
        return {"y": x @ m.w * tf.cast(there, tf.float32)}

    text = refusal(traced_model(m, traced(call, X)), tmp_path)
    assert "VarIsInitializedOp" in text
    assert "(w)" in text


def test_a_variable_that_nobody_restored(tmp_path):
    m, hidden = Weights(), tf.Variable(np.eye(4, dtype="float32"), name="hidden")
    signature = traced(lambda x: {"y": x @ m.w @ hidden}, X)
    assert "not among the variables that were restored" in refusal(
        traced_model(m, signature), tmp_path
    )


def test_python_code(tmp_path):
    m = Weights()

    def call(x):
        y = tf.numpy_function(np.sin, [x], tf.float32)
        y.set_shape([None, 4])
        return {"y": y @ m.w}

    assert "runs Python code" in refusal(traced_model(m, traced(call, X)), tmp_path)


def test_a_table_that_the_graph_makes_itself(tmp_path):
    m = Weights()

    def call(x):
        table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)
        size = tf.raw_ops.LookupTableSizeV2(table_handle=table)
        return {"y": x @ m.w + tf.cast(size, tf.float32)}

    assert "MutableHashTableV2" in refusal(traced_model(m, traced(call, X)), tmp_path)


def test_two_gibibytes(tmp_path, monkeypatch):
    m = Weights()
    model = traced_model(m, traced(lambda x: {"y": x @ m.w}, X))
    frozen_graph.export(model, tmp_path, {})
    (file,) = tmp_path.glob("*.pb")
    size = file.stat().st_size
    assert size <= size_of(freeze.freeze(model).graph, {"w": m.w}) < size + 200
    for left in tmp_path.iterdir():
        left.unlink()
    monkeypatch.setattr(limits, "LIMIT", size - 200)
    text = refusal(model, tmp_path)
    assert "2 GiB" in text
    assert "`saved-model`" in text


def test_a_graph_that_grows_while_it_is_made_plainer(tmp_path, monkeypatch):
    m = Weights()
    model = traced_model(m, traced(lambda x: {"y": x @ m.w}, X))

    def grown(frozen):
        monkeypatch.setattr(limits, "LIMIT", 10)
        return frozen, ()

    monkeypatch.setattr(optimize, "optimized", grown)
    with pytest.raises(CkptActionError, match="2 GiB"):
        frozen_graph.export(model, tmp_path, {"optimize": True})
    assert list(tmp_path.iterdir()) == []


def test_all_reasons_of_all_signatures_at_once(tmp_path):
    m = Weights()
    entries = tf.lookup.KeyValueTensorInitializer([1, 2], [1, 2])
    m.table = tf.lookup.StaticHashTable(entries, 0)
    m.n = tf.Variable(0.0, name="calls")

    def counting(x):
        return {"y": x @ m.w + m.n.assign_add(1.0)}

    def looking(ids):
        return {"y": m.table.lookup(ids)}

    model = TracedModel(
        name="tiny",
        signatures=(
            traced(counting, X, name="one"),
            traced(looking, spec("ids", "int32", "n"), name="two"),
        ),
        variables=variables_of(m),
    )
    text = refusal(model, tmp_path)
    assert "'calls' is written" in text
    assert "lookup table" in text

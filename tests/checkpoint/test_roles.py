"""What each value is for and who wrote it, on real graphs of both Keras and of TensorFlow."""

from __future__ import annotations

from collections import Counter

import pytest
from checkpoint_files import CORPUS, DATA

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.inspect import summarize
from ckpt_action.checkpoint.object_graph import parse_object_graph
from ckpt_action.checkpoint.records import Kind, ObjectGraph, ObjectNode, Role, Writer
from ckpt_action.checkpoint.roles import read_roles
from ckpt_action.checkpoint.wire import MalformedError
from ckpt_action.checkpoint.writer import writer_of

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def keys(summary, role):
    return {e.key.removesuffix(SUFFIX) for e in summary.entries if e.role is role}


def test_keras_3_weights_that_only_the_optimizer_holds_are_the_models():
    """Layers in a Python list are saved under the key of the optimizer only."""
    summary = summarize(identify(DATA / "keras3_lists/ckpt-1"))
    assert keys(summary, Role.MODEL) == {
        "model/tokenizer/_kernel",
        "model/tokenizer/bias",
        "optimizer/_trainable_variables/2",
        "optimizer/_trainable_variables/3",
    }
    assert len(keys(summary, Role.OPTIMIZER)) == 14
    assert summary.roots == {
        "model": Role.MODEL,
        "optimizer": Role.OPTIMIZER,
        "save_counter": Role.COUNTER,
    }
    assert summary.files.writer is Writer.KERAS_3


def test_an_optimizer_of_another_name_and_a_metric_are_no_model():
    summary = summarize(identify(DATA / "keras2_manager/ckpt-11"))
    assert keys(summary, Role.MODEL) == {
        f"model/blocks/{i}/{name}" for i in (0, 1) for name in ("kernel", "bias")
    }
    assert keys(summary, Role.OTHER) >= {"model/loss_tracker/total", "model/loss_tracker/count"}
    assert keys(summary, Role.COUNTER) == {"epoch", "save_counter"}
    assert summary.roots["train_op"] is Role.OPTIMIZER
    assert summary.files.writer is Writer.KERAS_2


def test_tables_random_states_and_iterators():
    summary = summarize(identify(DATA / "module/ckpt-1"))
    table = "model/table/.ATTRIBUTES/table"
    assert keys(summary, Role.TABLE) == {f"{table}-keys", f"{table}-values"}
    assert "model/random/_state_var" in keys(summary, Role.OTHER)
    assert {"model/parts/0", "model/parts/1/a", "model/words"} <= keys(summary, Role.MODEL)
    assert keys(summary, Role.COUNTER) == {"step", "save_counter"}
    assert summary.files.writer is Writer.TENSORFLOW


def test_tf1_knows_names_only():
    summary = summarize(identify(DATA / "tf1/model.ckpt-1"))
    assert summary.files.kind is Kind.NAME_BASED
    assert keys(summary, Role.MODEL) == {"bias", "table/weights"}
    assert keys(summary, Role.OPTIMIZER) == {"bias/Momentum", "table/weights/Momentum"}
    assert keys(summary, Role.COUNTER) == {"global_step"}
    assert any(file.suffix == ".meta" for file in summary.files.files)


@pytest.mark.parametrize(
    ("case", "writer", "model", "optimizer"),
    [
        ("basecaller/data/training_10/cp.ckpt", Writer.KERAS_2, 8, 0),
        ("cardio_vae/data/checkpoints/mnist_model", Writer.KERAS_2, 14, 0),
        ("lstm_md/data/training_checkpoints/ckpt_20", Writer.KERAS_2, 6, 15),
        ("makemore/data/checkpoints/anime_model-1", Writer.TENSORFLOW, 9, 0),
        ("pinn_thermal/data/tf_ckpts/ckpt-3332", Writer.KERAS_2, 12, 29),
        ("name_lstm_h5/data/model.h5", Writer.KERAS_2, 11, 0),
        ("name_lstm_full_h5/data/model_weights.h5", Writer.KERAS_2, 8, 17),
    ],
)
def test_the_corpus(case, writer, model, optimizer):
    summary = summarize(identify(CORPUS / case))
    roles = Counter(entry.role for entry in summary.entries)
    assert (roles[Role.MODEL], roles[Role.OPTIMIZER]) == (model, optimizer)
    assert summary.files.writer is writer


def node(children=None, value="", slots=()):
    attributes = {"VARIABLE_VALUE": (value, value)} if value else {}
    return ObjectNode(children=children or {}, attributes=attributes, slots=slots)


def test_a_root_that_is_its_own_child_does_not_hang_the_walk():
    graph = ObjectGraph(
        nodes=(node({"root": 0, "a": 1}), node({"back": 0, "w": 2}), node(None, "w"))
    )
    assert read_roles(graph, {}).by_key == {"w": Role.MODEL}
    assert set(read_roles(graph, {}).roots) == {"a"}


def test_what_is_stored_below_the_optimizer_has_its_place_in_the_model():
    """Keras 3 writes a variable of the model under the first key that leads to it."""
    key = "optimizer/_trainable_variables/0/b/.ATTRIBUTES/VARIABLE_VALUE"
    graph = ObjectGraph(
        nodes=(
            node({"optimizer": 1, "model": 2}),
            node({"_variables": 3, "_iterations": 5, "_trainable_variables": 6}),
            node({"layers": 7}),
            node(),
            node(None, key),
            node(None, "optimizer/_iterations"),
            node({"0": 8}),
            node({"0": 8}),
            node({"b": 4}),
        )
    )
    roles = read_roles(graph, {})
    assert roles.by_key[key] is Role.MODEL
    assert roles.paths == {key: "model/layers/0/b"}


def test_slots_belong_to_the_optimizer_even_when_an_edge_leads_to_them():
    graph = ObjectGraph(
        nodes=(
            node({"net": 1, "tokenizer": 2}),
            node({"w": 3}),
            node(None, slots=((3, "m", 4),)),
            node(None, "net/w"),
            node(None, "net/w/m"),
        )
    )
    roles = read_roles(graph, {})
    assert roles.by_key == {"net/w": Role.MODEL, "net/w/m": Role.OPTIMIZER}
    assert roles.optimizers == {2}


def test_a_model_part_called_optimizer_is_still_the_model():
    graph = ObjectGraph(nodes=(node({"optimizer": 1}), node({"kernel": 2}), node(None, "k")))
    assert read_roles(graph, {}).by_key == {"k": Role.MODEL}


@pytest.mark.parametrize(
    ("children", "names", "writer"),
    [
        ({"layer-0": 1}, {}, Writer.KERAS_2),
        ({"_operations": 1}, {}, Writer.KERAS_3),
        ({"moving_mean": 1, "moving_variance": 1, "axis": 1}, {}, Writer.KERAS_2),
        ({"moving_mean": 1, "moving_variance": 1}, {}, Writer.KERAS_3),
        ({"kernel": 1}, {1: "dense/kernel"}, Writer.KERAS_2),
        ({"kernel": 1}, {1: "kernel"}, Writer.TENSORFLOW),
        ({"w": 1}, {}, Writer.TENSORFLOW),
    ],
)
def test_writers(children, names, writer):
    assert writer_of(ObjectGraph(nodes=(node(children), node(None, names.get(1, ""))))) is writer


def test_recurrent_cells_keep_one_name_in_both_kerases_but_not_their_layers():
    """One subclassed model with a GRU, saved by Keras 2.15 and by Keras 3.15."""
    assert summarize(identify(DATA / "gru/keras2")).files.writer is Writer.KERAS_2
    assert summarize(identify(DATA / "gru/keras3")).files.writer is Writer.UNKNOWN


def test_a_reference_out_of_the_graph_is_malformed():
    with pytest.raises(MalformedError, match="object 9 of 1"):
        parse_object_graph(bytes.fromhex("0a070a050809120161"))
    assert TensorBundle(DATA / "tf1/model.ckpt-1").object_graph() is None

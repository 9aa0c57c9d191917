"""Lookup tables: filled by the graph that TensorFlow.js runs first, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal
from tfjs_running import TARGET, case_of, export, in_node, needs_node, noise, run  # noqa: F401

from ckpt_action.config.records import Verify
from ckpt_action.engine.prove.model.reference import make_reference
from ckpt_action.engine.tfjs import read_back, topology, write
from ckpt_action.engine.tfjs.tables import keep_shapes
from ckpt_action.errors import CkptActionError, ExitCode


def table_of(keys: Any, values: Any, default: Any) -> Any:
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default)


def case(call: Callable[..., Any], *tables: Any, **inputs: np.ndarray) -> Case:
    made = case_of(lambda m, **fed: call(m, *tables, **fed), {"w": noise(4, 3)}, **inputs)
    return replace(made, model=replace(made.model, resources=tables))


def words_and_numbers() -> Case:
    def call(m, words, weights, x, i):
        found = words.lookup(x)
        return {
            "found": found,
            "embedded": tf.gather(m.w, tf.maximum(found, 0)),
            "weight": weights.lookup(i),
            "one": words.lookup(x[0, 0]),
            "size": words.size(),
        }

    return case(
        call,
        table_of(["b", "a", "é"], tf.constant([1, 2, 3], tf.int64), -1),
        table_of(tf.constant([7, 5], tf.int64), tf.constant([0.5, 0.25]), 0.125),
        x=np.array([[b"a", b"zz"], ["é".encode(), b"b"]], object),
        i=np.array([[7], [6]], "int64"),
    )


@pytest.mark.parametrize("large", [1, read_back._LARGE])
def test_tables_are_read_back_with_what_they_hold(large, tmp_path, monkeypatch):
    """And with weights that are large enough to be fed."""
    monkeypatch.setattr(read_back, "_LARGE", large)
    made = words_and_numbers()
    written = export(made, tmp_path)
    assert_equal(run(tmp_path, made), made.live("serving_default"))
    assert any("only in `model.executeAsync()`" in note.message for note in written.notes)
    data = json.loads((tmp_path / "model.json").read_text())
    ops = [node["op"] for node in data["modelInitializer"]["node"]]
    assert sorted(set(ops)) == ["Const", "HashTableV2", "LookupTableImportV2"]


@needs_node
@pytest.mark.usefixtures("in_node")
def test_node_looks_up_what_the_model_does(tmp_path):
    made = words_and_numbers()
    export(made, tmp_path)
    assert_equal(run(tmp_path, made), made.live("serving_default"))


@needs_node
@pytest.mark.usefixtures("in_node")
def test_without_its_pass_what_was_found_lies_in_one_row(tmp_path, monkeypatch):
    passes = tuple(p for p in topology.PASSES if p is not keep_shapes)
    monkeypatch.setattr(write, "PASSES", passes)
    made = words_and_numbers()
    export(made, tmp_path)
    with pytest.raises((AssertionError, CkptActionError)):
        assert_equal(run(tmp_path, made), made.live("serving_default"))


def test_quantised_weights_leave_tables_exact(tmp_path):
    made = words_and_numbers()
    export(made, tmp_path, quantize={"weights": "uint8"})
    live, found = made.live("serving_default"), run(tmp_path, made)
    assert_equal({"weight": found["weight"]}, {"weight": live["weight"]}, exactly=True)
    assert not np.array_equal(found["embedded"], live["embedded"])


def test_another_value_in_a_table_shows(tmp_path):
    """On drawn probes too: half of the text in them is what the tables know."""
    made = case(
        lambda m, words, x: {"y": tf.gather(m.w, words.lookup(x))},
        table_of(["one", "two"], tf.constant([1, 2], tf.int64), 0),
        x=np.array([b"one"], object),
    )
    export(made, tmp_path)
    swap_last_values(tmp_path)
    artifact = TARGET.open_artifact(tmp_path, ())
    probes = make_reference(made.model, Verify()).probes
    found = [artifact.run(p.signature, p.inputs)["y"] for p in probes]
    assert not all(np.array_equal(f, p.reference["y"]) for f, p in zip(found, probes, strict=True))


def swap_last_values(folder: Path) -> None:
    weights = json.loads((folder / "model.json").read_text())["weightsManifest"][0]["weights"]
    assert weights[-1]["name"].endswith("/values")
    (file,) = folder.glob("*.bin")
    content = file.read_bytes()
    file.write_bytes(content[:-8] + content[-4:] + content[-8:-4])


def in_a_loop(m, words, x):
    total = tf.constant(0, tf.int64)
    for i in tf.range(tf.size(x)):
        total += words.lookup(x[i])
    return {"y": total}


def grows(m, words, x):
    words.insert(x, tf.ones_like(x, tf.int64))
    return {"y": words.lookup(x)}


def mutable(default: Any) -> Any:
    return tf.lookup.experimental.MutableHashTable(tf.string, tf.as_dtype(default.dtype), default)


def filled(default: Any, values: Any) -> Any:
    table = mutable(default)
    table.insert([b"a"], values)
    return table


REFUSED = {
    "in a loop": (in_a_loop, lambda: table_of(["a"], tf.constant([1], tf.int64), 0),
                  "no tables within loops and branches"),
    "that grows": (grows, lambda: mutable(tf.constant(0, tf.int64)), "uses a lookup table"),
    "of rows": (lambda m, words, x: {"y": words.lookup(x)},
                lambda: filled(tf.zeros([2]), [[1.0, 2.0]]), "hold single values"),
    "with nothing in it": (lambda m, words, x: {"y": words.lookup(x)},
                           lambda: mutable(tf.constant(0, tf.int64)), "with nothing"),
    "of bytes": (lambda m, words, x: {"y": words.lookup(x)},
                 lambda: table_of([b"\xff"], tf.constant([1], tf.int64), 0), "as UTF-8"),
    "of a file with a mark": (
        lambda m, words, x: {"y": words.lookup(x)},
        lambda: table_of(["\ufeffthe", "the"], tf.constant([1, 2], tf.int64), 0), "byte order mark",
    ),
    "of large numbers": (lambda m, words, x: {"y": words.lookup(x)},
                         lambda: table_of(["a"], tf.constant([2**40]), 0), "beyond 32 bits"),
    "of float64": (lambda m, words, x: {"y": tf.cast(words.lookup(x), tf.float32)},
                   lambda: table_of(["a"], tf.constant([1.0], tf.float64), 0.0), "with float64"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_tables_that_it_cannot_hold_are_refused(name, tmp_path):
    call, make, says = REFUSED[name]
    made = case(call, make(), x=np.array([b"a"], object))
    with pytest.raises(CkptActionError, match=says) as refusal:
        export(made, tmp_path)
    assert {problem.code for problem in refusal.value.problems} == {ExitCode.TARGET}
    assert not list(tmp_path.iterdir())

"""Several SavedModels in one process or session: none may take what another brought along."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from itertools import count, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal, spec, traced, traced_model

from ckpt_action.engine.saved_model import flat_module
from ckpt_action.engine.saved_model.tree import variable_tree
from ckpt_action.engine.targets import saved_model

ROWS = np.random.default_rng(3).normal(size=(2, 6, 4)).astype("float32")
WORDS = np.array(["a", "b", "c"])


Export = Callable[[Case, Path], Any]


def write_directly(case: Case, folder: Path) -> None:
    saved_model.export(case.model, folder, {})


def write_module(case: Case, folder: Path) -> None:
    flat_module.write_module(case.model, variable_tree(case.model.variables)[0], folder)


def recurrent(layer: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Case:
    """Its functions have the names that those of the next one have; it is called eagerly itself,
    which makes functions of other names."""
    counter = count(1)
    made = layer(5, **options)
    expected = made(ROWS).numpy()
    with monkeypatch.context() as counted:
        counted.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(counter)))
        signature = traced(lambda x: {"y": made(x)}, spec("x", "float32", "n", 6, 4))
    model = traced_model(made, signature)
    return Case(model=model, inputs={"serving_default": {"y": expected}}, keep=made)


@pytest.mark.parametrize(("write", "cell"), [(write_directly, "LSTM"), (write_module, "GRU")])
def test_recurrent_layers_of_keras_2(write: Export, cell: str, tmp_path, monkeypatch):
    layer = getattr(pytest.importorskip("tf_keras").layers, cell)
    cases = {
        "forward": recurrent(layer, monkeypatch),
        "backward": recurrent(layer, monkeypatch, go_backwards=True),
    }
    for name, case in cases.items():
        write(case, tmp_path / name)
        tf.saved_model.experimental.read_fingerprint(str(tmp_path / name))
    for order in permutations(cases):
        loaded = [tf.saved_model.load(str(tmp_path / name)) for name in order]
        for name, opened in zip(order, loaded, strict=True):
            found = opened.signatures["serving_default"](x=tf.constant(ROWS))
            assert_equal(found, cases[name].inputs["serving_default"])
    for name in cases:
        written = (tmp_path / name / "saved_model.pb").read_bytes()
        assert b"api_" not in written


def looks_up(words: str) -> Case:
    pairs = tf.lookup.KeyValueTensorInitializer(list(words), tf.range(3, dtype=tf.int64))
    table = tf.lookup.StaticHashTable(pairs, -1)
    table._shared_name = "18"  # it is a number that every process counts anew
    model = tf.Module()
    signature = traced(lambda x: {"y": table.lookup(x)}, spec("x", "string", 3))
    owner = traced_model(model, signature, resources=(table,))
    return Case(model=owner, inputs={"serving_default": {"x": WORDS}}, keep=(model, table))


def test_tables_of_one_name_in_one_session(tmp_path):
    expected = {}
    for words in ("abc", "cba"):
        case = looks_up(words)
        saved_model.export(case.model, tmp_path / words, {})
        expected[words] = case.live("serving_default")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        (signature, _) = (
            tf.compat.v1.saved_model.load(
                session, ["serve"], str(tmp_path / words), import_scope=words
            ).signature_def["serving_default"]
            for words in expected
        )
        fed, asked = signature.inputs["x"].name, signature.outputs["y"].name
        for words, wanted in expected.items():
            found = session.run({"y": f"{words}/{asked}"}, {f"{words}/{fed}": WORDS})
            assert_equal(found, wanted)

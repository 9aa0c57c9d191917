"""Others read what was written: sessions, the C library, the command line tool, Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras_cases
import module_cases
import numpy as np
import pytest
import tensorflow as tf
from handmade import Case, assert_equal

from ckpt_action.codec import to_data
from ckpt_action.engine.targets import registry

NAMES = ("convolutions", "masked_recurrent", "several_signatures", "awkward_names")


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> dict[tuple[str, str], tuple[Case, Path]]:
    made = {}
    for name in NAMES:
        case = (keras_cases.CASES | module_cases.CASES)[name]()
        for target in ("saved-model", "frozen-graph"):
            folder = tmp_path_factory.mktemp(f"{name}-{target}")
            registry()[target].export(case.model, folder, {})
            made[name, target] = case, folder
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_session_runs_a_saved_model(name, exported):
    case, folder = exported[name, "saved-model"]
    reference = {signature: case.live(signature) for signature in case.inputs}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        for signature, feeds in case.inputs.items():
            definition = meta.signature_def[signature]
            fed = {definition.inputs[k].name: v for k, v in feeds.items()}
            fetched = {k: info.name for k, info in definition.outputs.items()}
            assert_equal(session.run(fetched, fed), reference[signature])


@pytest.fixture(scope="module")
def c_library(exported, tmp_path_factory) -> dict[tuple[str, str, str], dict[str, np.ndarray]]:
    """(name, target, signature) to what the C library computes, all in one process that has no
    Python of TensorFlow."""
    scratch, requests, keys = tmp_path_factory.mktemp("c"), [], []
    for (name, target), (case, folder) in exported.items():
        for signature in registry()[target].open_artifact(folder, ()).signatures():
            stem = scratch / f"{name}.{target}.{signature.name}"
            np.savez(f"{stem}.in.npz", **case.inputs[signature.name])
            keys.append((name, target, signature.name))
            requests.append(
                {
                    "consumer": "c-api",
                    "folder": str(folder),
                    "inputs": f"{stem}.in.npz",
                    "results": f"{stem}.npz",
                    "io": to_data(signature),
                }
            )
    (scratch / "request.json").write_text(json.dumps(requests))
    subprocess.run(
        [sys.executable, Path(__file__).with_name("consume.py"), scratch / "request.json"],
        capture_output=True, check=True,
    )  # fmt: skip
    return {key: dict(np.load(task["results"])) for key, task in zip(keys, requests, strict=True)}


@pytest.mark.parametrize("target", ["saved-model", "frozen-graph"])
@pytest.mark.parametrize("name", NAMES)
def test_the_c_library_computes_what_the_model_does(name, target, exported, c_library):
    case, _ = exported[name, target]
    for signature in case.inputs:
        assert_equal(c_library[name, target, signature], case.live(signature))


@pytest.mark.slow
def test_saved_model_cli_shows_and_runs(exported, tmp_path):
    case, folder = exported["convolutions", "saved-model"]
    np.save(tmp_path / "x.npy", case.inputs["serving_default"]["x"])
    tool = Path(sys.executable).with_name("saved_model_cli")
    options = ["--dir", folder, "--tag_set", "serve", "--signature_def", "serving_default"]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    show = subprocess.run(
        [tool, "show", *options], capture_output=True, text=True, check=True, env=env
    )
    assert "inputs['x'] tensor_info" in show.stdout
    assert "outputs['logits'] tensor_info" in show.stdout
    subprocess.run(
        [tool, "run", *options, "--inputs", f"x={tmp_path}/x.npy", "--outdir", tmp_path],
        capture_output=True, check=True, env=env,
    )  # fmt: skip
    assert_equal({"logits": np.load(tmp_path / "logits.npy")}, case.live("serving_default"))


@pytest.mark.skipif(not hasattr(tf.keras.layers, "TFSMLayer"), reason="Keras 2 has no TFSMLayer")
def test_keras_takes_a_saved_model_as_a_layer(exported):
    case, folder = exported["convolutions", "saved-model"]
    layer = tf.keras.layers.TFSMLayer(str(folder), call_endpoint="serving_default")
    outputs = layer(case.inputs["serving_default"]["x"])
    assert_equal({k: v.numpy() for k, v in outputs.items()}, case.live("serving_default"))


def test_a_frozen_graph_runs_under_the_usual_optimisations(exported):
    """As a reader would run it: with Grappler and constant folding."""
    case, folder = exported["masked_recurrent", "frozen-graph"]
    definition = tf.compat.v1.GraphDef.FromString(next(folder.glob("*.pb")).read_bytes())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(definition, name="")
        value = session.run("logits:0", {"x:0": case.inputs["serving_default"]["x"]})
    assert_equal({"logits": value}, case.live("serving_default"))
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(definition, name=""), []
    ).prune("x:0", "logits:0")
    value = wrapped(tf.constant(case.inputs["serving_default"]["x"])).numpy()
    assert_equal({"logits": value}, case.live("serving_default"))

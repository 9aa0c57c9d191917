"""Models whose architecture lies in their own file."""

from __future__ import annotations

import json
import zipfile

import h5py
import numpy as np
import pytest
from cases import KERAS_3, keras, make_job, problem_of

from ckpt_action.checkpoint.records import Kind, Writer
from ckpt_action.engine.rebuild.legacy_config import modernised
from ckpt_action.engine.rebuild.rebuild import rebuild
from ckpt_action.errors import ExitCode

L = keras.layers


def from_file(path, kind=Kind.KERAS_ARCHIVE, *signatures, **options):
    return rebuild(make_job(None, *signatures, path=path, kind=kind, **options))


def saved(model, path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both Kerases advise against HDF5
        model.save(path)
    return path


def small():
    model = keras.Sequential([keras.Input((8,)), L.Dense(4, name="d"), L.BatchNormalization()])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize(
    ("name", "kind"), [("m.keras", Kind.KERAS_ARCHIVE), ("m.h5", Kind.LEGACY_H5_MODEL)]
)
def test_the_architecture_comes_without_weights_and_optimizer(tmp_path, name, kind):
    original = small()
    made = from_file(saved(original, tmp_path / name), kind)
    assert made.from_file
    model = made.model
    assert [tuple(w.shape) for w in model.weights] == [tuple(w.shape) for w in original.weights]
    assert getattr(model, "optimizer", None) is None
    kernel, before = np.asarray(model.weights[0]), np.asarray(original.weights[0])
    assert not np.allclose(kernel, before)


def test_a_lambda_is_refused_unless_allowed(tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, L.Dense(1)(L.Lambda(lambda t: t * 2)(x)))
    for name, kind in (("m.keras", Kind.KERAS_ARCHIVE), ("m.h5", Kind.LEGACY_H5_MODEL)):
        problem = problem_of(from_file, saved(model, tmp_path / name), kind)
        assert problem.code is ExitCode.REBUILD
        assert "safe-mode = false" in problem.hint
    assert from_file(tmp_path / "m.keras", safe_mode=False).model.weights


def test_an_unregistered_class_names_import(tmp_path):
    class Own(L.Dense):
        pass

    path = saved(keras.Sequential([keras.Input((3,)), Own(2)]), tmp_path / "m.keras")
    problem = problem_of(from_file, path)
    assert problem.code is ExitCode.REBUILD
    assert "Own" in problem.message
    assert "`import`" in problem.hint


@pytest.mark.parametrize("kind", [Kind.OBJECT_GRAPH, Kind.KERAS_WEIGHTS, Kind.SAVED_MODEL])
def test_values_alone_and_finished_graphs_need_an_entry_point(tmp_path, kind):
    problem = problem_of(from_file, tmp_path / "m", kind)
    assert problem.code is ExitCode.CONFIG
    assert "`entry-point" in problem.hint


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip at all", b"{"])
def test_a_damaged_archive(tmp_path, content):
    (tmp_path / "m.keras").write_bytes(content)
    assert problem_of(from_file, tmp_path / "m.keras").code is ExitCode.CHECKPOINT


def test_an_architecture_that_is_no_object(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "[1]")
    assert problem_of(from_file, tmp_path / "m.keras").code is ExitCode.CHECKPOINT


@pytest.mark.skipif(not KERAS_3, reason="in Keras 2 the file is its own")
def test_a_keras_2_config_is_read_where_it_means_the_same(tmp_path):
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": {"batch_input_shape": [None, 5, 3], "dtype": "float32", "name": "i"},
                },
                {
                    "class_name": "LSTM",
                    "config": {
                        "name": "l",
                        "units": 4,
                        "time_major": False,
                        "implementation": 1,
                        "recurrent_activation": "sigmoid",
                    },
                },
            ],
        },
    }
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
    assert len(from_file(path, Kind.LEGACY_H5_MODEL).model.weights) == 3
    config["config"]["layers"][1]["config"]["time_major"] = True
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
    problem = problem_of(from_file, path, Kind.LEGACY_H5_MODEL, writer=Writer.KERAS_2)
    assert "time_major" in problem.message
    assert 'keras = "2"' in problem.hint


def test_only_what_means_nothing_is_dropped():
    layer = {"class_name": "Conv2D", "config": {"groups": 1, "filters": 2, "time_major": False}}
    assert modernised(layer)["config"] == {"groups": 1, "filters": 2}
    depthwise = {"class_name": "DepthwiseConv2D", "config": {"groups": 1}}
    assert modernised([depthwise])[0]["config"] == {}
    depthwise["config"]["groups"] = 2
    assert modernised(depthwise) == depthwise


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 makes it")
def test_the_other_keras_is_named_without_advice_on_custom_classes(tmp_path):
    path = tmp_path / "m.keras"
    layers = {"name": "m", "layers": [], "input_layers": [], "output_layers": []}
    config = {
        "class_name": "Functional", "module": "json",
        "registered_name": "Functional", "config": layers,
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    problem = problem_of(from_file, path, writer=Writer.KERAS_2)
    assert "Could not locate class 'Functional'." in problem.message
    assert "register_keras_serializable" not in problem.message
    assert problem.hint == 'Keras 2 wrote the file: set `keras = "2"`.'

"""Kinds are read from the bytes; what is no checkpoint is named, with what to use instead."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import sys
import zipfile

import h5py
import numpy as np
import pytest
from checkpoint_files import CORPUS, DATA, copied

from ckpt_action.checkpoint.hdf5 import Hdf5Weights
from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.records import Kind, Writer
from ckpt_action.errors import CkptActionError, ExitCode

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
FILES = DATA / "keras3_files"


@pytest.mark.parametrize(
    ("path", "kind", "writer"),
    [
        (DATA / "tf1/model.ckpt-1", Kind.NAME_BASED, Writer.TENSORFLOW),
        (DATA / "keras2_manager/ckpt-11", Kind.OBJECT_GRAPH, Writer.KERAS_2),
        (FILES / "m.weights.h5", Kind.KERAS_WEIGHTS, Writer.KERAS_3),
        (FILES / "s.weights.json", Kind.KERAS_WEIGHTS_SHARDED, Writer.KERAS_3),
        (FILES / "m.keras", Kind.KERAS_ARCHIVE, Writer.KERAS_3),
        (CORPUS / "name_lstm_h5/data/model.h5", Kind.LEGACY_H5_WEIGHTS, Writer.KERAS_2),
        (CORPUS / "name_lstm_full_h5/data/model_weights.h5", Kind.LEGACY_H5_MODEL, Writer.KERAS_2),
    ],
)
def test_kinds(path, kind, writer):
    found = identify(path)
    assert (found.kind, found.writer) == (kind, writer)
    assert found.bytes == sum(file.stat().st_size for file in found.files)


def test_the_name_decides_nothing(tmp_path):
    shutil.copy(FILES / "m.keras", tmp_path / "model.h5")
    shutil.copy(FILES / "m.weights.h5", tmp_path / "model.keras")
    assert identify(tmp_path / "model.h5").kind is Kind.KERAS_ARCHIVE
    assert identify(tmp_path / "model.keras").kind is Kind.KERAS_WEIGHTS


def test_an_unpacked_keras_file_and_a_saved_model(tmp_path):
    with zipfile.ZipFile(FILES / "m.keras") as archive:
        archive.extractall(tmp_path / "model")
    assert identify(tmp_path / "model").kind is Kind.KERAS_ARCHIVE
    folder = tmp_path / "exported"
    prefix = copied(DATA / "keras2_manager/ckpt-11", folder / "variables")
    for file in prefix.parent.iterdir():
        file.rename(file.with_name(file.name.replace("ckpt-11", "variables")))
    (folder / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")
    found = identify(folder)
    assert found.kind is Kind.SAVED_MODEL
    assert found.path == folder
    assert len(found.files) == 3


def test_the_early_layout_of_keras_weights(tmp_path):
    with h5py.File(tmp_path / "x.weights.h5", "w") as file:
        file["_layer_checkpoint_dependencies/dense/vars/0"] = np.zeros((2, 3), "f4")
    found = identify(tmp_path / "x.weights.h5")
    assert (found.kind, found.writer) == (Kind.KERAS_WEIGHTS_EARLY, Writer.KERAS_2)


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.zeros(2))
    return stream.getvalue()


def pytorch() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model/data.pkl", b"x")
    return stream.getvalue()


FOREIGN = {
    "empty": (b"", "is empty"),
    "text": (b"weights of the model\n", "text file"),
    "garbage": (bytes(range(130, 255)), "no known format"),
    "tflite": (b"\x1c\0\0\0TFL3" + b"\0" * 60, "TensorFlow Lite"),
    "onnx": (b"\x08\x0a\x12\x07pytorch\x1a\x05" + b"2.0.0" + b":\x02\x0a\0", "ONNX"),
    "frozen": (b"\x0a\x0e\x0a\x01x\x12\x0bPlaceholder" + b"\0" * 20, "frozen graph"),
    "saved_model.pb": (b"\x08\x01\x12\x20" + b"\0" * 32, "Name its folder"),
    "pytorch": (pytorch(), "PyTorch"),
    "safetensors": ((40).to_bytes(8, "little") + b'{"a":{}}' + b" " * 40, "safetensors"),
    "npz": (npz(), "numpy arrays"),
    "npy": (b"\x93NUMPY\x01\x00" + b"\0" * 60, "numpy array"),
    "pickle": (pickle.dumps({"a": 1}), "pickle, which is never opened"),
    "lfs": (POINTER, "Git LFS pointer"),
    "json": (b'{"a": 1}', "text file"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_named(name, tmp_path):
    content, words = FOREIGN[name]
    file = tmp_path / "model.ckpt"
    file.write_bytes(content)
    with pytest.raises(CkptActionError, match=words) as raised:
        identify(file)
    [problem] = raised.value.problems
    assert problem.code is ExitCode.CHECKPOINT
    assert problem.where is not None
    assert problem.where.file == str(file)


def test_an_index_under_another_name_is_no_v1_checkpoint(tmp_path):
    shutil.copy(DATA / "tf1/model.ckpt-1.index", tmp_path / "model.ckpt")
    with pytest.raises(CkptActionError, match=r"the \.index file of another checkpoint"):
        identify(tmp_path / "model.ckpt")


@pytest.mark.parametrize("step", [".", "12"])
def test_orbax_is_declined_with_a_way_out(step, tmp_path):
    (tmp_path / step).mkdir(exist_ok=True)
    (tmp_path / step / "_CHECKPOINT_METADATA").write_text("{}")
    with pytest.raises(CkptActionError, match=r"Orbax.*save_weights"):
        identify(tmp_path)


@pytest.mark.parametrize("part", [".index", ".data-00000-of-00001"])
def test_lfs_pointers_in_a_bundle(part, tmp_path):
    prefix = copied(DATA / "keras2_manager/ckpt-11", tmp_path)
    prefix.with_name(prefix.name + part).write_bytes(POINTER)
    with pytest.raises(CkptActionError, match=r"LFS pointer.*git lfs pull.*lfs: true"):
        identify(prefix)


def test_every_missing_and_short_shard_is_listed(tmp_path):
    prefix = copied(DATA / "sharded/parts", tmp_path)
    (tmp_path / "parts.data-00000-of-00004").unlink()
    (tmp_path / "parts.data-00001-of-00004.dvc").touch()
    (tmp_path / "parts.data-00001-of-00004").unlink()
    (tmp_path / "parts.data-00002-of-00004").write_bytes(b"x" * 12)
    with pytest.raises(CkptActionError) as raised:
        identify(prefix)
    missing, tracked, short = raised.value.problems
    assert "parts.data-00000-of-00004 is missing" in missing.message
    assert tracked.hint == "Run `dvc pull`."
    assert "12 bytes of at least 200" in short.message


def test_a_checkpoint_without_a_model_is_refused():
    with pytest.raises(CkptActionError, match="holds no variable of a model"):
        identify(DATA / "only_counter/ckpt-1")


def test_a_truncated_hdf5_file_is_seen_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    file = tmp_path / "m.weights.h5"
    content = (FILES / "m.weights.h5").read_bytes()
    file.write_bytes(content[:-7])
    with pytest.raises(CkptActionError, match=f"truncated: it has {len(content) - 7} bytes of"):
        identify(file, look_inside=False)
    file.write_bytes(content)
    assert identify(file, look_inside=False).kind is Kind.HDF5


def test_without_h5py_one_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(CkptActionError, match="needs h5py") as raised:
        Hdf5Weights(FILES / "m.weights.h5")
    (problem,) = raised.value.problems
    assert (problem.code, problem.hint) == (ExitCode.ENVIRONMENT, "Install it: pip install h5py")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: f.create_dataset("t", data=[1.0]), "no Keras writes"),
        (lambda f: f.attrs.__setitem__("layer_names", [b"a"]), "no weight of a model"),
        (lambda f: f.__setitem__("a/vars/0", h5py.ExternalLink("/etc/passwd", "/x")), "is a link"),
        (lambda f: f.__setitem__("a/vars/0", h5py.SoftLink("/a")), "is a link"),
        (
            lambda f: f.create_dataset("a/vars/0", (4,), "u1", external=[("/etc/hostname", 0, 4)]),
            "outside the file",
        ),
        (lambda f: f.create_dataset("a/vars/0", (1 << 40,), "f4", chunks=True), "claims"),
        (lambda f: f.create_dataset("a/vars/0", data=np.zeros(3, ">f4")), "big-endian"),
    ],
)
def test_hdf5_files_that_keras_never_wrote(make, words, tmp_path):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as out:
        make(out)
    with pytest.raises(CkptActionError, match=words):
        identify(file)


def test_values_of_hdf5_files():
    legacy = Hdf5Weights(CORPUS / "name_lstm_full_h5/data/model_weights.h5")
    assert json.loads(legacy.config)["class_name"] == "Sequential"
    [*_, (layer, names)] = legacy.layers.items()
    assert [legacy.read(name).shape for name in names] == [(32, 5), (5,)]
    assert layer == "dense"
    with h5py.File(CORPUS / "name_lstm_h5/data/model.h5") as file:
        weights = Hdf5Weights(CORPUS / "name_lstm_h5/data/model.h5")
        for name in (name for names in weights.layers.values() for name in names):
            np.testing.assert_array_equal(weights.read(name), file[name][()])


def test_bfloat16_in_a_keras_file():
    from ckpt_action.checkpoint.keras_archive import KerasArchive

    archive = KerasArchive(FILES / "m.keras")
    weights = Hdf5Weights(archive.path, archive.content("model.weights.h5"))
    value = weights.read("layers/dense/vars/0")
    assert (value.dtype.name, value.shape) == ("bfloat16", (4, 2))
    assert 0 < np.abs(value.astype("f4")).max() < 2


@pytest.mark.parametrize("name", ["../m.weights.h5", "/etc/passwd", "a\\b", "..", 3, ""])
def test_shards_lie_beside_their_map(name, tmp_path):
    file = tmp_path / "x.weights.json"
    file.write_text(json.dumps({"weight_map": {"/vars": name}}))
    with pytest.raises(CkptActionError, match=r"names (a file outside|no file)"):
        identify(file)


def test_a_missing_shard_of_keras_weights(tmp_path):
    shutil.copy(FILES / "s.weights.json", tmp_path)
    shutil.copy(FILES / "s_00000.weights.h5", tmp_path)
    with pytest.raises(CkptActionError, match=r"s_00001\.weights\.h5 is missing"):
        identify(tmp_path / "s.weights.json")

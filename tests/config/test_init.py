"""`ckpt-action init` writes a file that validates, and never over another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ckpt_action.cli import main
from ckpt_action.config.load import load_config
from ckpt_action.config.npz import npz_arrays
from ckpt_action.config.survey import find_builders, find_golden
from ckpt_action.errors import ExitCode

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "corpus"
FILE = Path("model-export.toml")


def copy(source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("dist", "__pycache__", str(FILE)))


@pytest.mark.parametrize("case", sorted(path.parent.name for path in CORPUS.glob("*/case.json")))
def test_the_corpus(case, tmp_path, monkeypatch, capsys):
    copy(CORPUS / case, tmp_path / case)
    monkeypatch.chdir(tmp_path / case)
    expected = json.loads((CORPUS / case / "case.json").read_text())["expected"]
    code = main(["init"])
    loaded = load_config(FILE)
    assert loaded.problems == ()
    (model,) = loaded.config.models
    assert str(model.entry_point) == "model:build"
    if expected == "export":
        assert code == 0, capsys.readouterr().out
        assert main(["validate"]) == 0
    else:
        assert code == ExitCode.CHECKPOINT
        assert "Git LFS pointer" in capsys.readouterr().out


def test_several_models_whose_modules_share_a_name(tmp_path, monkeypatch, capsys):
    """`model` in two folders of `python-path` would be the same module for both."""
    for case in ("basecaller", "makemore"):
        copy(CORPUS / case, tmp_path / case)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    config = load_config(FILE).config
    assert [str(model.entry_point) for model in config.models] == [
        "basecaller.model:build",
        "makemore.model:build",
    ]
    assert capsys.readouterr().out.startswith("model-export.toml: written (2 models)")


def test_a_package(tmp_path, monkeypatch):
    copy(ROOT / "examples" / "digits", tmp_path / "src")
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    config = load_config(FILE).config
    assert config.python_path == (tmp_path / "src",)
    (model,) = config.models
    assert (model.name, str(model.entry_point)) == ("digits", "digits.model:build")


def test_the_one_golden_file_says_what_the_inputs_are(tmp_path, monkeypatch):
    copy(ROOT / "examples" / "digits", tmp_path / "digits")
    monkeypatch.chdir(tmp_path / "digits")
    assert main(["init"]) == 0
    written, first = FILE.read_text(), load_config(FILE).config.models[0]
    declared = load_config(ROOT / "examples" / "digits" / FILE).config.models[0]
    assert first.verify.golden == tmp_path / "digits" / "golden" / "digits.npz"
    assert [s.inputs for s in first.signatures] == [s.inputs for s in declared.signatures]
    assert '["batch", 8, 8, 1]' in written

    FILE.unlink()
    shutil.copy("golden/digits.npz", "another-golden.npz")  # which of them is the model's?
    assert main(["init"]) == 0
    assert "golden" not in FILE.read_text()


DTYPES = ["float32", "float16", "int64", "uint8", "bool", "complex64", "S3", "U2"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_headers_of_arrays_are_read_as_numpy_wrote_them(dtype, tmp_path):
    np = pytest.importorskip("numpy")
    arrays = {"in_x": np.zeros((2, 3), dtype), "in_y.z": np.zeros((), dtype)}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "golden.npz", **arrays)
        name = "string" if dtype[0] in "SU" else dtype
        shapes = {
            key: (array.dtype, array.shape)
            for key, array in npz_arrays(tmp_path / "golden.npz").items()
        }
        assert shapes == {"in_x": (name, (2, 3)), "in_y.z": (name, ())}


@pytest.mark.parametrize("keep", [0, 10, 60, 150])
def test_a_damaged_golden_file_is_passed_over(keep, tmp_path):
    whole = (ROOT / "examples" / "digits" / "golden" / "digits.npz").read_bytes()
    (tmp_path / "golden.npz").write_bytes(whole[:keep])
    assert find_golden(tmp_path) is None


def test_a_file_that_is_there_is_left_alone(tmp_path, monkeypatch, capsys):
    copy(CORPUS / "basecaller", tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    FILE.write_text("mine")
    assert main(["init"]) == ExitCode.OUTPUT
    assert FILE.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err


def test_nothing_is_written_where_there_is_no_checkpoint(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == ExitCode.CHECKPOINT
    assert list(tmp_path.iterdir()) == []
    assert main(["init", str(tmp_path / "absent")]) == ExitCode.USAGE


def test_without_a_builder_the_file_says_what_is_missing(tmp_path, monkeypatch, capsys):
    copy(CORPUS / "basecaller" / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == ExitCode.CONFIG
    assert "The key `entry-point` is missing" in capsys.readouterr().out
    assert FILE.is_file()


SOURCES = {
    "def build(): return x": ["build"],
    "def create_model(): return x": ["create_model"],
    "def net():\n    return keras.Sequential([])": ["net"],
    "def net():\n    m = tf.keras.Model(a, b)\n    m.summary()\n    return m": ["net"],
    "class Net(tf.Module): ...\ndef f(): return Net()": ["f", "Net"],
    "class Net(keras.Model):\n    def __init__(self, n): ...": [],
    "def build(n): return keras.Sequential([])": [],
    "def load(): return 1": [],
    "def build(:": [],
}


@pytest.mark.parametrize(("source", "names"), SOURCES.items())
def test_builders(source, names, tmp_path):
    (tmp_path / "m.py").write_text(source)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "other.py").write_text("def build(): ...")
    assert [builder.attribute for builder in find_builders(tmp_path)] == names

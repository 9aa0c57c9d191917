"""`ckpt-action init` writes a file that validates, and never over another."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ckpt_action.cli import main
from ckpt_action.config.builders import find_builders
from ckpt_action.config.load import load_config
from ckpt_action.config.npz import npz_arrays
from ckpt_action.config.scaffold import scaffold
from ckpt_action.config.survey import FoundCheckpoint, find_golden
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
    shutil.copy("golden/digits.npz", "another-golden.npz")
    assert main(["init"]) == 0
    assert 'golden = "golden/digits.npz"' in FILE.read_text()

    FILE.unlink()
    Path("golden/digits.npz").rename("golden/other.npz")  # which of them is the model's?
    assert main(["init"]) == 0
    assert "golden" not in FILE.read_text()


def test_what_has_a_models_name_is_the_models(tmp_path, monkeypatch):
    digits = ROOT / "examples" / "digits"
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "__init__.py").touch()
    for name in ("cnn", "seq_tagger"):
        copy(digits / "runs" / "digits", tmp_path / "runs" / name.replace("_", "-"))
        shutil.copy(digits / "digits" / "model.py", tmp_path / "nets" / f"{name}.py")
    (tmp_path / "golden").mkdir()
    shutil.copy(digits / "golden" / "digits.npz", tmp_path / "golden" / "seq-tagger.npz")
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    cnn, tagger = load_config(FILE).config.models
    assert (str(cnn.entry_point), cnn.verify.golden) == ("nets.cnn:build", None)
    assert str(tagger.entry_point) == "nets.seq_tagger:build"
    assert tagger.verify.golden == tmp_path / "golden" / "seq-tagger.npz"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("checkpoints/ckpt-40", "repository"),
        ("checkpoints/epoch-10-val_loss-0.23.h5", "repository"),
        ("checkpoints/weights-improvement-01-0.5.hdf5", "repository"),
        ("exports/my_checkpoint", "repository"),
        ("checkpoints/unet_epoch_12-val_loss-0.23.h5", "unet"),
        ("checkpoints/mnist_cnn_best.weights.h5", "mnist_cnn"),
        ("saved_models/resnet50.keras", "resnet50"),
        ("experiments/captioner/ckpts/ckpt-3", "captioner"),
        ("fold2/best.h5", "fold2"),
    ],
)
def test_a_model_is_called_as_what_says_something(pattern, name, tmp_path):
    checkpoint = FoundCheckpoint(pattern=pattern, files=None)
    (table,) = re.findall(
        r"(?m)^\[models[.](.+)\]$", scaffold(tmp_path / "repository", [checkpoint], [], [])
    )
    assert table == name


def test_each_of_several_models_gets_its_builder_and_the_golden_file_beside_it(
    tmp_path, monkeypatch
):
    digits = ROOT / "examples" / "digits"
    for name in ("encoder", "decoder"):
        copy(digits / "runs" / "digits", tmp_path / "checkpoints" / name)
        shutil.copy(
            digits / "golden" / "digits.npz", tmp_path / "checkpoints" / name / "golden.npz"
        )
    builders = [
        f"def {n}():\n    return keras.Model()\n" for n in ("build_decoder", "make_encoder_model")
    ]
    (tmp_path / "model.py").write_text("\n".join(builders))
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert main(["validate"]) == 0
    decoder, encoder = load_config(FILE).config.models
    assert str(decoder.entry_point) == "model:build_decoder"
    assert str(encoder.entry_point) == "model:make_encoder_model"
    for model in (decoder, encoder):
        assert model.verify.golden == tmp_path / "checkpoints" / model.name / "golden.npz"


def test_editors_find_the_schema_by_the_first_line(tmp_path):
    first = scaffold(tmp_path, [], [], []).splitlines()[0]
    assert first in (ROOT / "docs" / "configuration.md").read_text().splitlines()


@pytest.mark.parametrize(
    ("dtype", "shape", "said"),
    [
        ("float32", (2, 31, 3), ["# 31 is the length in the golden file; write a name, as"]),
        ("int32", (2, 31), ["# 31 is the length in the golden file; write a name, as"]),
        ("float32", (2, 31), []),
        ("int32", (2,), []),
    ],
)
def test_a_length_that_may_be_free_is_named_as_one_of_the_golden_file(
    dtype, shape, said, tmp_path, monkeypatch
):
    np = pytest.importorskip("numpy")
    copy(ROOT / "examples" / "digits", tmp_path / "digits")
    monkeypatch.chdir(tmp_path / "digits")
    np.savez("golden/digits.npz", in_x=np.zeros(shape, dtype))
    main(["init"])
    lines = FILE.read_text().splitlines()
    at = lines.index("[models.digits.signatures.serving_default]") + 1
    assert [line[: len(said[0])] for line in lines[at:-3] if "length" in line and said] == said
    assert lines[at + len(said)].startswith("inputs = ")


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
    assert find_golden(tmp_path) == ()


def test_a_file_that_is_there_is_left_alone(tmp_path, monkeypatch, capsys):
    copy(CORPUS / "basecaller", tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    FILE.write_text("mine")
    assert main(["init"]) == ExitCode.OUTPUT
    assert FILE.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err


def test_files_that_differ_by_numbers_alone_are_one_model(tmp_path, monkeypatch, capsys):
    """As ModelCheckpoint names them by default; networks and folds stay apart."""
    weights = ROOT / "tests" / "checkpoint" / "data" / "keras3_files" / "m.weights.h5"
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("def build(): ...")
    Path("ckpts").mkdir()
    for name in ("Mnist-01-2.40", "Mnist-02-2.31", "Mnist-10-2.19"):
        shutil.copy(weights, f"ckpts/{name}.weights.h5")
    assert main(["init"]) == 0
    (model,) = load_config(FILE).config.models
    assert (model.name, model.checkpoints) == ("Mnist", ("ckpts/Mnist-10-2.19.weights.h5",))
    others = "Mnist-01-2.40.weights.h5, Mnist-02-2.31.weights.h5"
    assert f"\n# A guess: {others} may be later;\n" in FILE.read_text()
    for first in ("fold_1", "resnet50"):
        FILE.unlink()
        shutil.rmtree("ckpts")
        Path("ckpts").mkdir()
        for name in (first, first[:-1] + "2"):
            shutil.copy(weights, f"ckpts/{name}.weights.h5")
        assert main(["init"]) == 0
        assert len(load_config(FILE).config.models) == 2
        assert "A guess" not in FILE.read_text()


def test_a_second_file_in_a_subfolder_is_told(tmp_path, monkeypatch, capsys):
    copy(CORPUS / "basecaller", tmp_path / "case")
    (tmp_path / FILE).write_text("mine")
    monkeypatch.chdir(tmp_path / "case")
    said = "warning: ../model-export.toml is there already. This is a second file"
    for in_git in (False, True):
        assert main(["init"]) == 0
        assert (said in capsys.readouterr().out) is in_git
        FILE.unlink()
        tmp_path.joinpath(".git").mkdir(exist_ok=True)
    shutil.rmtree("data")
    assert main(["init"]) == ExitCode.CHECKPOINT
    assert "help: ../model-export.toml is there already.\n" in capsys.readouterr().err


def test_nothing_is_written_where_there_is_no_checkpoint(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == ExitCode.CHECKPOINT
    assert list(tmp_path.iterdir()) == []
    assert main(["init", str(tmp_path / "absent")]) == ExitCode.USAGE


def test_without_a_builder_the_file_says_what_is_missing(tmp_path, monkeypatch, capsys):
    copy(CORPUS / "basecaller" / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == ExitCode.CONFIG
    said = capsys.readouterr().out
    assert "The key `entry-point` is missing" in said
    assert said.endswith("complete it as said above, then run `ckpt-action validate`.\n")
    line = '# entry-point = "package.module:build"  # needed: the checkpoint holds weights only'
    assert line in FILE.read_text().splitlines()


def test_hdf5_files_are_opened_for_what_they_hold(tmp_path, monkeypatch):
    """Weights need code, a whole model may do without."""
    pytest.importorskip("h5py")
    data = ROOT / "tests" / "checkpoint" / "data"
    shutil.copy(data / "keras3_files" / "m.weights.h5", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == ExitCode.CONFIG
    assert "# needed: the checkpoint holds weights only" in FILE.read_text()
    FILE.unlink()
    Path("m.weights.h5").unlink()
    shutil.copy(CORPUS / "name_lstm_full_h5" / "data" / "model_weights.h5", tmp_path)
    assert main(["init"]) == 0
    assert "entry-point" not in FILE.read_text()


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

"""`inspect --against`: whether a model fits a checkpoint, before any export."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from checkpoint_files import CORPUS

from ckpt_action.checkpoint.discover import discover
from ckpt_action.cli import main
from ckpt_action.errors import ExitCode
from ckpt_action.jobs.against import Against, job_against

DIGITS = CORPUS.parent.parent / "examples" / "digits"
CHECKPOINT = "runs/digits/ckpt-40"


@pytest.fixture
def digits(tmp_path, monkeypatch):
    folder = tmp_path / "digits"
    shutil.copytree(DIGITS, folder, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    monkeypatch.chdir(folder)
    return folder


def against(model, *options, cwd):
    command = [sys.executable, "-m", "ckpt_action", "inspect", CHECKPOINT]
    command += ["--against", model, *options]
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def test_a_declared_model_that_fits(digits):
    before = sorted(digits.rglob("*"))
    result = against("digits", cwd=digits)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("fits: 9 variables, by object graph, from model, under Keras ")
    assert sorted(digits.rglob("*")) == before


def test_code_that_fits(digits):
    (digits / "model-export.toml").unlink()
    result = against("digits.model:build", "--format", "json", cwd=digits)
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)
    assert (data["bound"], data["root"]) == (9, "model")


def test_code_is_looked_for_where_the_configuration_says(digits):
    (digits / "src").mkdir()
    (digits / "digits").rename(digits / "src" / "digits")
    config = digits / "model-export.toml"
    text = config.read_text()
    assert 'python-path = ["src"]' in refused("digits.model:build", digits)
    config.write_text(text + '\n[export]\npython-path = ["src"]\n')
    assert "There is no module `nets.model` below `src`." in refused("nets.model:build", digits)
    result = against("digits.model:build", cwd=digits)
    assert result.returncode == 0, result.stderr
    assert "There is no such file" in refused("digits.model:build", digits, "--config", "nope.toml")
    assert "Write `digits.model:build`." in against("src/digits/model.py:build", cwd=digits).stderr
    assert "write `digits.model`." in refused("src.digits.model:build", digits)


WRITTEN_OTHERWISE = {
    "digits/model.py:build": "Write `digits.model:build`.",
    "digits/model.py": "Name the function too, as in `digits.model:build`.",
    "digits.model:build(16)": "Write `digits.model:build`, and what it is called with as "
    "`arguments` of the model.",
    "digits.model:build()": "Write `digits.model:build`.",
}


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("model", WRITTEN_OTHERWISE)
def test_code_that_is_written_otherwise_is_corrected(model, declared, digits, capsys):
    if not declared:
        (digits / "model-export.toml").unlink()
    assert main(["inspect", CHECKPOINT, "--against", model]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert f"`{model}` is not `module:callable`, nor the name of a model." in said
    assert f"help: {WRITTEN_OTHERWISE[model]}\n" in said


def test_a_model_may_be_called_as_a_file(digits):
    config = digits / "model-export.toml"
    config.write_text(config.read_text().replace("[models.digits", '[models."net.py"'))
    (files,), _ = discover((CHECKPOINT,), digits, "latest")
    job, _ = job_against(files, Against(model="net.py"))
    assert job.name == "net.py"


def test_code_in_a_folder_that_no_configuration_names(digits, capsys):
    (digits / "model-export.toml").unlink()
    (digits / "src").mkdir()
    (digits / "digits").rename(digits / "src" / "digits")
    assert main(["inspect", CHECKPOINT, "--against", "digits.model:build"]) == ExitCode.CONFIG
    hint = "It lies in `src`: start there, or let `ckpt-action init` write a model-export.toml."
    assert f"help: {hint}" in capsys.readouterr().err


def test_code_that_a_model_declares_is_called_as_declared(digits):
    """With its arguments, and with a word on it."""
    code = digits / "digits" / "model.py"
    code.write_text(code.read_text().replace("width: int = 16", "width: int = 32"))
    config = digits / "model-export.toml"
    entry = 'entry-point = "digits.model:build"'
    config.write_text(config.read_text().replace(entry, f"{entry}\narguments = {{ width = 16 }}"))
    result = against("digits.model:build", cwd=digits)
    assert result.returncode == 0, result.stderr
    assert "It is the model `digits`: all that is declared for it holds here too." in result.stderr


def test_code_of_several_models_is_called_as_none_of_them(digits):
    config = digits / "model-export.toml"
    text = config.read_text()
    table = text[text.index("[models.digits]") :].partition("\n\n")[0]
    config.write_text(
        f"{text}\n{table.replace('digits]', 'wide]')}\narguments = {{ width = 32 }}\n"
    )
    (files,), _ = discover((CHECKPOINT,), digits, "latest")
    job, (note,) = job_against(files, Against(model="digits.model:build"))
    assert not job.model.entry_point.arguments
    assert "The models `digits`, `wide` declare it" in note.message
    assert note.hint.startswith("`--against digits`")


def refused(model, folder, *options):
    """What is said of it, before any TensorFlow starts."""
    result = against(model, *options, cwd=folder)
    assert result.returncode == ExitCode.CONFIG, result.stderr
    assert "restoring" not in result.stderr
    return result.stderr


DEFERRED = """\
import keras


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(2)

    def call(self, x):
        return self.head(x)
"""
TRAIN = """
import tensorflow as tf

net = Net()
net(tf.zeros((1, 8)))
tf.train.Checkpoint(model=net).write("ck")
"""
WRONG = """\
version = 1

[models.net]
entry-point = "net:Net"
checkpoints = ["ck*"]
targets     = ["saved-model"]

[models.net.signatures.serving_default]
inputs = { x = { dtype = "float32", shape = ["batch", 9] } }
"""


def test_a_wrong_declared_shape_is_named_as_the_cause(tmp_path):
    (tmp_path / "net.py").write_text(DEFERRED)
    (tmp_path / "model-export.toml").write_text(WRONG)
    command = [sys.executable, "-c", DEFERRED + TRAIN]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    command = [sys.executable, "-m", "ckpt_action", "inspect", "ck", "--against", "net"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == ExitCode.RESTORE, result.stderr
    assert "input `x` gives a kernel 9 inputs, and the checkpoint's has 8" in result.stderr
    assert '`signatures.serving_default.inputs.x.shape`, which is ["batch", 9]' in result.stderr


def test_both_sides_of_what_does_not_fit(digits):
    """The model was made twice as wide, and has lost a layer."""
    model = digits / "digits" / "model.py"
    code = model.read_text().replace("width: int = 16", "width: int = 32")
    code = code.replace("    x = keras.layers.BatchNormalization()(x)\n", "")
    model.write_text(code)
    result = against("digits", cwd=digits)
    assert (result.returncode, result.stdout) == (ExitCode.RESTORE, "")
    assert "Traceback" not in result.stderr
    for words in ("conv2d_1/kernel", "3, 3, 32, 64", "3, 3, 16, 32", "gamma", "moving_variance"):
        assert words in result.stderr


def test_code_that_cannot_be_rebuilt_says_why(digits):
    (digits / "raises.py").write_text("def build():\n    raise ValueError('no data set here')\n")
    result = against("raises:build", cwd=digits)
    assert (result.returncode, result.stdout) == (ExitCode.REBUILD, "")
    assert "no data set here" in result.stderr
    assert "raises.py:2" in result.stderr


def test_a_model_that_is_not_declared(digits, capsys):
    assert main(["inspect", CHECKPOINT, "--against", "digit"]) == ExitCode.USAGE
    assert "Did you mean `digits`?" in capsys.readouterr().err
    assert main(["inspect", CHECKPOINT, "--against", "x", "--config", "no.toml"]) != 0
    assert "no.toml" in capsys.readouterr().err


def test_options_without_a_model_are_refused(digits, capsys):
    assert main(["inspect", CHECKPOINT, "--keras", "3"]) == ExitCode.USAGE
    assert "--against" in capsys.readouterr().err

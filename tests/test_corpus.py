"""Checkpoints that strangers committed: exported from a declaration alone, with the right numbers.

The artifacts are read back by TensorFlow alone, in a process that knows nothing of ckpt-action, and
compared with the outputs that the TensorFlow of their day computed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ckpt_action.errors import ExitCode

CORPUS = Path(__file__).resolve().parent / "corpus"
READ_BACK = Path(__file__).resolve().parent / "read_back.py"
CASES = {
    folder.name: json.loads((folder / "case.json").read_text())
    for folder in CORPUS.iterdir()
    if folder.is_dir()
}
EXPORTED = [name for name, case in CASES.items() if case["expected"] == "export"]


def copy_of(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(CORPUS / name, tmp_path / name))


def export(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ckpt_action", "export", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", EXPORTED)
def test_a_declaration_alone_gives_the_right_numbers(name, tmp_path):
    folder = copy_of(name, tmp_path)
    run = export(folder)
    assert run.returncode == 0, run.stdout + run.stderr
    read = subprocess.run(
        [sys.executable, str(READ_BACK), str(folder / "dist" / name), str(folder / "golden.npz")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stdout + read.stderr
    assert "saved-model: right" in read.stdout


def test_a_pointer_instead_of_the_weights_is_refused_with_the_remedy(tmp_path):
    folder = copy_of("starreduction_lfs", tmp_path)
    run = export(folder)
    assert run.returncode == ExitCode.CHECKPOINT
    assert "Git LFS pointer" in run.stdout + run.stderr
    assert "git lfs pull" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert not list(folder.glob("dist/starreduction_lfs"))


def naive(folder: Path, *changes: tuple[str, str]) -> None:
    """Build with the string "hard_sigmoid", whose meaning depends on the Keras that reads it."""
    file = folder / "model-export.toml"
    text = file.read_text().replace(
        'entry-point = "model:build"',
        'entry-point = "model:build"\narguments = { recurrent_activation = "hard_sigmoid" }',
    )
    for old, new in changes:
        text = text.replace(old, new)
    file.write_text(text)


def test_the_changed_meaning_of_hard_sigmoid_is_kept_by_the_keras_that_wrote_the_file(tmp_path):
    folder = copy_of("name_lstm_h5", tmp_path)
    naive(folder)
    run = export(folder)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_changed_meaning_of_hard_sigmoid_is_named_where_keras_3_is_asked_for(tmp_path):
    folder = copy_of("name_lstm_h5", tmp_path)
    naive(folder, ("targets ", 'keras = "3"\ntargets '))
    run = export(folder)
    assert run.returncode == ExitCode.VERIFY, run.stdout + run.stderr
    assert "hard_sigmoid" in run.stdout
    assert not list(folder.glob("dist/name_lstm_h5"))

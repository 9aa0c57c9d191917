"""A checkpoint that training goes on writing is not exported under another one's digest."""

from __future__ import annotations

import shutil

from conftest import ckpt_action

from ckpt_action.errors import ExitCode

WRITES = """
from pathlib import Path
from models import Affine

def build():
    for file in Path("runs/affine").glob("ckpt-*"):
        file.write_bytes(file.read_bytes())
    return Affine()
"""
CONFIG = """
version = 1
[models.affine]
entry-point = "writes:build"
checkpoints = ["runs/affine/ckpt-*"]
targets = ["saved-model"]
signatures.serving_default.inputs = { x = { dtype = "float32", shape = ["batch", 5] } }
"""


def test_a_checkpoint_that_changes_under_the_export_fails_it(repository):
    (repository / "writes.py").write_text(WRITES)
    (repository / "model-export.toml").write_text(CONFIG)
    shutil.rmtree(repository / "dist", ignore_errors=True)
    run = ckpt_action("export", folder=repository)
    assert run.returncode == ExitCode.CHECKPOINT, run.stdout + run.stderr
    assert "changed while it was exported" in run.stdout
    assert not (repository / "dist" / "affine").exists()


LEAVES = """
from pathlib import Path
from models import Affine

def build():
    notes = Path("dist/affine/notes.txt")
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text("mine")
    return Affine()
"""


def test_what_comes_into_the_way_while_exporting_is_not_moved_away(repository):
    """The folder is looked at under its lock, and again before anything is placed."""
    (repository / "writes.py").write_text(LEAVES)
    (repository / "model-export.toml").write_text(CONFIG)
    shutil.rmtree(repository / "dist", ignore_errors=True)
    run = ckpt_action("export", folder=repository)
    assert run.returncode == ExitCode.OUTPUT, run.stdout + run.stderr
    assert "in the way" in run.stderr
    assert (repository / "dist/affine/notes.txt").read_text() == "mine"
    assert not (repository / "dist/manifest.json").exists()

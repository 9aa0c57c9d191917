"""A checkpoint that training goes on writing is not exported under another one's digest."""

from __future__ import annotations

import shutil

from command import ckpt_action

from ckpt_action.digests import file_digest
from ckpt_action.errors import ExitCode
from ckpt_action.manifest import read_manifest

WRITES = """
import subprocess, sys
from models import Affine

def build():
    program = "import pathlib; f = pathlib.Path('runs/affine/ckpt-1.index'); "
    subprocess.run([sys.executable, "-c", program + "f.write_bytes(f.read_bytes())"], check=True)
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
    assert "changed while the model was made from it" in run.stdout
    assert not (repository / "dist" / "affine").exists()


TRAINS = """
import numpy as np
import tensorflow as tf
from models import Affine

model = Affine()
try:
    np.savez("golden/affine.npz", in_x=0, out_z=0)
except Exception:
    print("no golden file")
for name in ("runs/affine/ckpt", "runs/other/ckpt"):
    tf.train.Checkpoint(model=model).write(name)

def build():
    return model
"""


def test_code_that_trains_when_it_is_imported_is_stopped_before_it_writes(repository):
    (repository / "trains.py").write_text(TRAINS)
    golden = "signatures.serving_default.outputs = ['z']\nverify.golden = 'golden/affine.npz'\n"
    text = CONFIG.replace("writes:build", "trains:build")
    text = text.replace(
        "signatures.serving_default.inputs", golden + "signatures.serving_default.inputs"
    )
    (repository / "model-export.toml").write_text(text)
    before = file_digest(repository / "golden/affine.npz")
    for command in (
        ["export"],
        ["inspect", "runs/affine/ckpt-*", "--against", "affine"],
    ):
        run = ckpt_action(*command, folder=repository)
        assert run.returncode == ExitCode.CHECKPOINT, run.stdout + run.stderr
        said = " ".join((run.stdout + run.stderr).split())
        assert "importing trains opens golden/affine.npz for writing" in said
        assert "trains.py:8" in said
        assert file_digest(repository / "golden/affine.npz") == before


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


EDITED = """
import os, subprocess, sys
from pathlib import Path
from models import Affine

HERE = Path(__file__).parent

def somebody(*words):
    subprocess.run([sys.executable, "-c", *words], check=True, cwd=HERE)

def reads():
    (HERE / "read.txt").read_text()
    somebody("open('read.txt', 'a').write('more')")
    return Affine()

def imports():
    import helper
    somebody("open('helper.py', 'a').write('X = 1')")
    return Affine()

def loses():
    (HERE / "lost.txt").read_text()
    somebody("import os; os.remove('lost.txt')")
    return Affine()

def keeps():
    notes = HERE / "notes.txt"
    notes.write_text(notes.read_text() + "again")
    return Affine()

def replaces():
    cache = HERE / "cache.txt"
    cache.read_text()
    (HERE / "cache.new").write_text("other")
    os.replace(HERE / "cache.new", cache)
    return Affine()
"""


def test_code_that_somebody_edits_under_the_export_fails_it(repository):
    """The manifest would name files that the model was not made from."""
    for name in ("read.txt", "lost.txt", "notes.txt", "cache.txt", "helper.py"):
        (repository / name).write_text("")
    (repository / "edited.py").write_text(EDITED)
    head, affine = CONFIG.strip().split("[models.affine]")
    names = ("reads", "imports", "loses", "keeps", "replaces")
    models = (f"[models.{n}]{affine.replace('writes:build', f'edited:{n}')}" for n in names)
    (repository / "model-export.toml").write_text("\n".join((head, *models)))
    shutil.rmtree(repository / "dist", ignore_errors=True)
    run = ckpt_action("export", folder=repository)
    assert run.returncode == ExitCode.REBUILD, run.stdout + run.stderr
    for name in ("read.txt", "lost.txt", "helper.py"):
        assert f"{name} changed while the model was made from it" in run.stdout
    manifest = read_manifest(repository / "dist")
    unrecorded = {job.name: job.unrecorded for job in manifest.jobs}
    assert unrecorded == {
        "keeps": ("file notes.txt, which the code changed",),
        "replaces": ("file cache.txt, which the code changed",),
    }


LATER = """
from models import Affine

def build():
    with open("golden/affine.npz", "ab") as file:
        file.write(b"later")
    return Affine()
"""


def test_the_golden_file_is_recorded_as_it_was_used(repository):
    """Not as it is when the last model is done, which may be an hour later."""
    (repository / "later.py").write_text(LATER)
    head, affine = CONFIG.strip().split("[models.affine]")
    first = affine.replace("writes:build", "models:Affine").replace(
        "signatures.serving_default.inputs",
        "signatures.serving_default.outputs = ['z']\n"
        "verify.golden = 'golden/affine.npz'\nsignatures.serving_default.inputs",
    )
    text = f"{head}[models.first]{first}\n[models.later]{affine.replace('writes', 'later')}"
    (repository / "model-export.toml").write_text(text)
    used = file_digest(repository / "golden/affine.npz")
    shutil.rmtree(repository / "dist", ignore_errors=True)
    run = ckpt_action("export", "--jobs", "1", folder=repository)
    assert run.returncode == 0, run.stdout + run.stderr
    assert file_digest(repository / "golden/affine.npz") != used
    first = next(job for job in read_manifest(repository / "dist").jobs if job.name == "first")
    assert first.golden.sha256 == used

"""What code asks of paths decides too: links, files that are not there, whether something is."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from command import ckpt_action
from test_reuse import asked, edit

from ckpt_action.jobs.reuse import _hides
from ckpt_action.manifest import read_manifest
from ckpt_action.trail import trail

ASKING = """
import ctypes, importlib.util, json, os, sqlite3, subprocess, sys
from pathlib import Path
import tensorflow as tf

HERE = Path(__file__).parent

class Asking(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(tf.zeros([5]), name="scale")
        self.shift = tf.Variable(tf.zeros([5]), name="shift")
        self.factor = float(open(HERE / "current").read())
        self.factor += float((HERE / "folder/number.txt").read_text())
        self.factor += float(open(os.fsencode(HERE / "bytes.txt")).read())
        try:
            self.factor = json.load(open(HERE / "override.json"))
        except FileNotFoundError:
            pass
        self.fast = os.path.isfile(HERE / "fast")
        self.slow = os.access(HERE / "slow", os.R_OK)
        self.cached = (HERE / "cache.txt").exists()
        (HERE / "cache.txt").write_text("5")
        spec = importlib.util.spec_from_file_location("plugin", HERE / "plugin.py")
        plugin = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(plugin)
        import passing
        del sys.modules["passing"]

    def __call__(self, x):
        return {"z": x * self.scale + self.shift}

class ByDescriptor(tf.Module):
    __call__ = Asking.__call__

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(tf.zeros([5]), name="scale")
        self.shift = tf.Variable(tf.zeros([5]), name="shift")
        folder = os.open(HERE / "one", os.O_RDONLY)
        os.close(os.open("number.txt", os.O_RDONLY, dir_fd=folder))
        tf.io.read_file(str(HERE / "one/number.txt"))
        tf.io.gfile.exists(str(HERE / "fast"))
        tf.train.load_variable("runs/affine/ckpt-1", "scale/.ATTRIBUTES/VARIABLE_VALUE")
        sorted(HERE.glob("one/*.txt"))
        subprocess.run([sys.executable, "-c", ""], check=True)
        sqlite3.connect(":memory:").close()
        ctypes.CDLL("libc.so.6" if sys.platform == "linux" else None)
        try:
            import cv2
        except ImportError:
            pass
        import h5py
        try:
            h5py.File(HERE / "none.h5")
        except OSError:
            pass
"""
CONFIG = """
version = 1
[defaults]
checkpoints = ["runs/affine/ckpt-1"]
targets = ["frozen-graph"]
signatures.serving_default.inputs = { x = { dtype = "float32", shape = ["batch", 5] } }
signatures.serving_default.outputs = ["z"]
verify.golden = "golden/affine.npz"
[models.asking]
entry-point = "asking:Asking"
[models.by-descriptor]
entry-point = "asking:ByDescriptor"
"""


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """Exported twice: the first time leaves a cache behind, which the second finds."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("asking") / "repository"))
    (folder / ".git").mkdir()
    (folder / "asking.py").write_text(ASKING)
    (folder / "model-export.toml").write_text(CONFIG)
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "number.txt").write_text("1")
    (folder / "bytes.txt").write_text("1")
    (folder / "current").symlink_to("one/number.txt")
    (folder / "folder").symlink_to("one")
    for name in ("plugin.py", "passing.py"):
        (folder / name).write_text("S = 1\n")
        py_compile.compile(str(folder / name))
    run = ckpt_action("export", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture
def repository(exported, tmp_path):
    folder = Path(shutil.copytree(exported, tmp_path / "repository", symlinks=True))
    (folder / "cache.txt").unlink()
    return folder


def turn(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


CHANGES = {
    "a link to a file": (lambda d: turn(d / "current", "two/number.txt"), "current is a link to"),
    "a link to a folder": (lambda d: turn(d / "folder", "two"), "folder is a link to two"),
    "a file that was not there": (lambda d: (d / "override.json").write_text("2"), "override"),
    "a flag": (lambda d: (d / "fast").touch(), "fast is a file of 0 bytes now, and was nothing"),
    "a permission": (lambda d: (d / "slow").touch(), "slow is a file"),
    "what the code left": (lambda d: (d / "cache.txt").write_text("5"), "cache.txt is a file"),
    "a module without a name": (lambda d: edit(d / "plugin.py", "1", "2"), "plugin.py changed"),
    "a module that hides another": (
        lambda d: (d / "json.py").write_text("load = float"),
        "json.py may hide another module",
    ),
    "a file with a name of bytes": (lambda d: edit(d / "bytes.txt", "1", "2"), "bytes.txt changed"),
    "a module let go of": (lambda d: edit(d / "passing.py", "1", "2"), "passing.py changed"),
}


def test_nothing_changed(repository):
    assert asked(repository)["asking"] == "unchanged, taken from dist"


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_another_answer_exports_again(repository, change, says):
    change(repository)
    said = asked(repository)["asking"]
    assert said.startswith("exported again: ")
    assert says in said


def test_what_lies_beside_is_not_asked_for(repository):
    (repository / "fast.txt").touch()
    turn(repository / "current", "one/number.txt")
    assert asked(repository)["asking"] == "unchanged, taken from dist"


def test_what_nobody_hears_of_is_said_and_exported_each_time(repository):
    assert "which is not recorded" in asked(repository)["by-descriptor"]
    jobs = {job.name: job for job in read_manifest(repository / "dist").jobs}
    assert {
        "file number.txt",
        "files with TensorFlow's ReadFile",
        "a checkpoint by itself",
        "files with h5py",
        "the list of a folder's files",
        "what a program printed",
        "a database",
        *(["files with cv2, perhaps"] if importlib.util.find_spec("cv2") else []),
        *(["files with libc.so.6, perhaps"] if sys.platform == "linux" else []),
    } <= set(jobs["by-descriptor"].unrecorded)
    assert jobs["by-descriptor"].lookups["fast"] == "nothing"


def test_the_manifest_names_what_was_asked_for_and_no_more(exported):
    jobs = {job.name: job for job in read_manifest(exported / "dist").jobs}
    assert jobs["asking"].lookups == {
        "*": "modules asking.py, broken.py, models.py, passing.py, plugin.py, train.py",
        "cache.txt": "nothing",
        "current": "a link to one/number.txt",
        "fast": "nothing",
        "folder": "a link to one",
        "override.json": "nothing",
        "slow": "nothing",
    }
    assert jobs["asking"].unrecorded == ()


def test_a_trail_follows_links_as_the_system_does(tmp_path):
    inner = tmp_path / "a/b"
    inner.mkdir(parents=True)
    (tmp_path / "a/file").write_text("four")
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "far").symlink_to(tmp_path / "link")
    assert trail(f"{tmp_path}/link/../file") == {
        f"{tmp_path}/link": "a link to a/b",
        f"{tmp_path}/a/file": "a file of 4 bytes",
    }
    assert f"{tmp_path}/a/b" in trail(f"{tmp_path}/far")
    assert trail(f"{tmp_path}/round") == {f"{tmp_path}/round": "a link to round"}
    assert os.path.realpath(tmp_path) in str(trail(f"{tmp_path}/none/../none"))


def test_a_new_module_may_hide_a_package_of_an_environment_in_the_repository(tmp_path, monkeypatch):
    packages = tmp_path / ".venv/site-packages"
    packages.mkdir(parents=True)
    (packages / "installed.py").touch()
    for name in ("installed.py", "unrelated.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(packages)])
    job = SimpleNamespace(python_path=(tmp_path,), folder=tmp_path)
    entry = SimpleNamespace(sources=())
    assert _hides("installed.py", job, entry)
    assert _hides("json.py", job, entry)
    assert not _hides("unrelated.py", job, entry)

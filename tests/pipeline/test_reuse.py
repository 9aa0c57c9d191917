"""What is unchanged is taken from the earlier export; any input that changes makes it anew."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.config.load import load_config
from ckpt_action.earlier import read_earlier
from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.jobs import fingerprint
from ckpt_action.jobs.fingerprint import environment_digest
from ckpt_action.jobs.inputs import library_records
from ckpt_action.jobs.reuse import take
from ckpt_action.manifest import read_manifest, write_manifest
from ckpt_action.plan import make_plan

READING = """
import json, os
from pathlib import Path
import tensorflow as tf

try:
    import fast_ops
except ImportError:
    fast_ops = None
HERE = Path(__file__).parent

class Reading(tf.Module):
    def __init__(self, note=0):
        super().__init__()
        settings = json.loads((HERE / "settings.json").read_text())
        with tf.io.gfile.GFile(str(HERE / "words.txt")) as file:
            self.words = len(file.read().split())
        self.scale = tf.Variable(tf.zeros([settings["width"]]), name="scale")
        self.shift = tf.Variable(tf.zeros([5]), name="shift")

    def __call__(self, x):
        from lazy import double
        scratch = HERE / f"scratch-{type(self).__name__}.txt"
        scratch.write_text("made here")
        assert scratch.read_text() == "made here"
        return {"z": double(x * self.scale) + self.shift * self.words}

class Moody(Reading):
    def __init__(self):
        super().__init__()
        self.mood = os.environ.get("MOOD", "fine")
"""
CONFIG = """
version = 1
[defaults]
checkpoints = ["runs/affine/ckpt-*"]
targets = ["saved-model"]
signatures.serving_default.inputs = { x = { dtype = "float32", shape = ["batch", 5] } }
[models.reading]
entry-point = "reading:Reading"
arguments = {}
targets = [{ format = "saved-model", max-size = "1 MB" }, "onnx"]
verify = { golden = "golden/reading.npz" }
[models.moody]
entry-point = "reading:Moody"
"""
GOLDEN = """
import numpy as np
recorded = np.load("golden/affine.npz")
import tensorflow as tf
values = tf.train.load_checkpoint("runs/affine/ckpt-1")
scale, shift = (values.get_tensor(f"{n}/.ATTRIBUTES/VARIABLE_VALUE") for n in ("scale", "shift"))
x = recorded["in_x"]
np.savez("golden/reading.npz", in_x=x, out_z=2 * x * scale + 3 * shift)
other = tf.Module()
other.scale, other.shift = tf.Variable(scale), tf.Variable(shift + 1)
tf.train.Checkpoint(other).save("other/ckpt")
"""


@pytest.fixture(scope="module")
def reading(trained, tmp_path_factory):
    """A repository whose code reads in many ways, exported once; tf2onnx looks into folders too."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("reading") / "repository"))
    (folder / ".git").mkdir()
    (folder / "reading.py").write_text(READING)
    (folder / "lazy.py").write_text("def double(x):\n    return x + x\n")
    (folder / "settings.json").write_text('{"width": 5}')
    (folder / "words.txt").write_text("one two three")
    (folder / "model-export.toml").write_text(CONFIG)
    subprocess.run([sys.executable, "-c", GOLDEN], cwd=folder, env=ENVIRON, check=True)
    run = ckpt_action("export", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture
def repository(reading, tmp_path):
    return Path(shutil.copytree(reading, tmp_path / "repository"))


class Said:
    """Stands for the progress on a terminal."""

    def __init__(self):
        self.words = {}

    def __call__(self, job, doing):
        self.words[job] = doing

    def done(self, job, result):
        self.words[job] = result


def asked(folder: Path, environ=ENVIRON) -> dict[str, str]:
    """What would become of each model, as an export would say it; nothing is exported."""
    loaded = load_config(folder / "model-export.toml")
    assert loaded.config, loaded.problems
    said = Said()
    earlier = read_earlier(None, folder / "dist")
    environment = environment_digest(environ)
    for job in make_plan(loaded.config).jobs:
        assert earlier
        taken = take(job, earlier, environment, folder / "nowhere", said)
        assert (taken is not None) == said.words[job.name].startswith("unchanged")
    return said.words


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def config(folder: Path, old: str, new: str) -> None:
    edit(folder / "model-export.toml", old, new)


def trained_again(folder: Path, name: str) -> None:
    for file in (folder / "other").glob("ckpt-1.*"):
        shutil.copy(file, folder / "runs/affine" / file.name.replace("ckpt-1", name))


def test_what_the_code_read_is_in_the_manifest(reading):
    jobs = {job.name: job for job in read_manifest(reading / "dist").jobs}
    for job in jobs.values():
        read = {record.path for record in job.sources}
        assert read == {"reading.py", "lazy.py", "settings.json", "words.txt"}
        assert job.absent == ("fast_ops",)
    assert jobs["reading"].unrecorded == ()
    assert not [place for place in jobs["reading"].lookups if place.startswith("dist")]
    assert jobs["moody"].unrecorded == ("variable MOOD",)
    notes = [p.message for p in jobs["moody"].problems if "asks the environment" in p.message]
    assert ["MOOD (not set)" in note for note in notes] == [True]


CHANGES = {
    # what is changed: how, and what the export says of it
    "a source": (lambda d: edit(d / "reading.py", "* self.words", "+ self.words"), "reading.py"),
    "a comment": (lambda d: edit(d / "reading.py", "import json", "# \nimport json"), "reading.py"),
    "a module imported while tracing": (lambda d: flip(d / "lazy.py"), "lazy.py changed"),
    "a file read by Python": (lambda d: flip(d / "settings.json"), "settings.json changed"),
    "a file read by TensorFlow": (lambda d: flip(d / "words.txt"), "words.txt changed"),
    "a source is gone": (lambda d: (d / "lazy.py").unlink(), "lazy.py changed"),
    "a module appears": (lambda d: (d / "fast_ops.py").touch(), "a module fast_ops now"),
    "a package appears": (lambda d: (d / "fast_ops").mkdir(), "a module fast_ops now"),
    "values": (lambda d: trained_again(d, "ckpt-1"), "the checkpoint changed"),
    "a later step": (lambda d: trained_again(d, "ckpt-2"), "the checkpoint changed"),
    "the golden file": (lambda d: flip(d / "golden/reading.npz"), "golden/reading.npz changed"),
    "no golden file": (lambda d: config(d, 'golden = "golden/reading.npz"', ""), "configuration"),
    "an argument": (
        lambda d: config(d, "arguments = {}", "arguments = { note = 1 }"),
        "configuration",
    ),
    "the entry point": (lambda d: config(d, "Reading", "Moody"), "configuration"),
    "a signature": (lambda d: config(d, '"batch"', '"rows"'), "configuration"),
    "a restore rule": (lambda d: config(d, "arguments = {}", 'restore.weights = "ema"'), "config"),
    "the Keras": (lambda d: config(d, "arguments = {}", 'keras = "3"'), "configuration"),
    "a tolerance": (lambda d: config(d, "{ golden", "{ atol = 0.1, golden"), "configuration"),
    "a target's option": (lambda d: config(d, "1 MB", "2 MB"), "configuration"),
    "a target": (lambda d: config(d, '"saved-model"', '"frozen-graph"'), "other targets"),
    "the module path": (
        lambda d: config(d, "version = 1", 'version = 1\nexport.python-path = [".", "golden"]'),
        "configuration",
    ),
}


def test_an_unchanged_repository_is_taken_whole(repository):
    assert asked(repository)["reading"] == "unchanged, taken from dist"


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_exports_again(repository, change, says):
    change(repository)
    said = asked(repository)["reading"]
    assert said.startswith("exported again: ")
    assert says in said


def test_another_op_library_exports_again(repository):
    """As if the export of before had loaded one, for making one takes a compiler."""
    library = repository / "fast.so"
    library.write_bytes(b"kernels of before")
    config(repository, "arguments = {}", 'arguments = {}\nop-libraries = ["fast.so"]')
    jobs = make_plan(load_config(repository / "model-export.toml").config).jobs
    (job,) = (job for job in jobs if job.name == "reading")
    digest, records = fingerprint.config_digest(job), library_records(job)
    manifest = read_manifest(repository / "dist")
    entries = (replace(e, config_digest=digest, op_libraries=records) for e in manifest.jobs)
    write_manifest(replace(manifest, jobs=tuple(entries)), repository / "dist")
    assert asked(repository)["reading"] == "unchanged, taken from dist"
    flip(library)
    assert asked(repository)["reading"] == "exported again: fast.so changed"


def test_code_that_read_what_nobody_recorded_is_never_taken(repository):
    jobs = {job.name: job for job in read_manifest(repository / "dist").jobs}
    assert jobs["moody"].unrecorded == ("variable MOOD",)
    assert asked(repository)["moody"].startswith("exported again: ")


@pytest.mark.parametrize("seed", range(25))
def test_whichever_inputs_change_and_only_then(repository, seed):
    chance = random.Random(seed)
    (repository / "unrelated.py").write_text(f"x = {seed}\n")
    (repository / "models.py").unlink()
    trained_again(repository, "best")
    assert asked(repository)["reading"] == "unchanged, taken from dist"
    for change, _ in chance.sample(list(CHANGES.values()), chance.randint(1, 3)):
        try:
            change(repository)
        except (AssertionError, FileNotFoundError):
            continue  # an earlier change has taken away what this one changes
    assert asked(repository)["reading"].startswith("exported again: ")


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index"])
def test_an_artifact_that_is_not_as_it_was_is_not_taken(repository, file):
    flip(repository / "dist/reading/saved-model" / file)
    assert asked(repository)["reading"] == "exported again: dist is damaged"


def test_a_file_more_or_less_is_damage(repository):
    (repository / "dist/reading/saved-model/more").touch()
    assert asked(repository)["reading"] == "exported again: dist is damaged"


def test_what_failed_before_is_not_taken(repository):
    manifest = repository / "dist/manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(data | {"kept": ["reading"]}))
    assert asked(repository)["reading"] == "exported again: the last export failed"
    manifest.write_text("{")
    assert read_earlier(None, repository / "dist") is None


def test_an_earlier_export_that_is_named_has_to_be_there(repository, tmp_path):
    for name in ("dits", "dist/manifest.jsn", "golden"):
        with pytest.raises(CkptActionError, match="no earlier export"):
            read_earlier(repository / name, tmp_path)
    run = ckpt_action("export", "--previous", "dits", folder=repository)
    assert run.returncode == ExitCode.OUTPUT
    assert "There is no earlier export: dits" in run.stderr
    other = repository / "dist/other.json"
    shutil.copy(repository / "dist/manifest.json", other)
    (repository / "dist/manifest.json").write_text("{")
    assert read_earlier(other, tmp_path).manifest.jobs
    with pytest.raises(CkptActionError, match="cannot be read"):
        read_earlier(repository / "dist", tmp_path)


def test_nothing_is_left_of_an_export_that_is_taken_in_part(repository, tmp_path):
    (job,) = (j for j in make_plan(load_config(repository / "model-export.toml").config).jobs
              if j.name == "reading")  # fmt: skip
    earlier = read_earlier(repository / "dist", tmp_path)
    (entry,) = (e for e in earlier.manifest.jobs if e.name == "reading")
    good = entry.artifacts[0]
    bad = replace(good, folder="elsewhere/saved-model")
    jobs = (replace(entry, artifacts=(good, bad)),)
    earlier = replace(earlier, manifest=replace(earlier.manifest, jobs=jobs))
    environment = environment_digest(ENVIRON)
    assert take(job, earlier, environment, tmp_path / "reading", Said()) is None
    assert not (tmp_path / "reading").exists()


def installed(folder: Path, name: str, version: str) -> None:
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize("name", ["tensorflow", "keras", "numpy", "somebodys-layers"])
def test_another_version_of_a_package_exports_again(repository, tmp_path, monkeypatch, name):
    installed(tmp_path / "site", name, "99.0")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "installed packages" in asked(repository)["reading"]


@pytest.mark.parametrize("what", ["python_version", "machine"])
def test_another_python_or_machine_exports_again(repository, monkeypatch, what):
    monkeypatch.setattr(fingerprint.platform, what, lambda: "another")
    assert "installed packages" in asked(repository)["reading"]


def test_other_settings_export_again(repository, tmp_path):
    assert "installed" in asked(repository, ENVIRON | {"TF_ENABLE_ONEDNN_OPTS": "0"})["reading"]
    (tmp_path / "keras.json").write_text('{"floatx": "float64"}')
    assert "installed" in asked(repository, ENVIRON | {"KERAS_HOME": str(tmp_path)})["reading"]


@pytest.mark.parametrize("file", ["verify.py", "engine/tfjs/ops.json", "engine/tfjs/run.cjs"])
def test_another_ckpt_action_exports_again(repository, tmp_path, monkeypatch, file):
    own = shutil.copytree(fingerprint._PACKAGE, tmp_path / "own")
    monkeypatch.setattr(fingerprint, "_PACKAGE", own)
    assert asked(repository)["reading"].startswith("unchanged")
    with (own / file).open("a") as stream:
        stream.write("# changed\n")
    assert "installed packages or ckpt-action" in asked(repository)["reading"]


def test_what_runs_tensorflow_js_decides_too(tmp_path):
    file = tmp_path / "node_modules/@tensorflow/tfjs-core/package.json"
    file.parent.mkdir(parents=True)
    named = ENVIRON | {"CKPT_ACTION_TFJS": str(tmp_path)}
    digests = {environment_digest(ENVIRON)}
    for version in ("4.21.0", "4.22.0"):
        file.write_text(json.dumps({"version": version}))
        digests.add(environment_digest(named))
    assert len(digests) == 3


def test_the_command_takes_exports_again_and_says_so(repository):
    """From the output folder, from another, with an input changed, and not at all."""
    manifest = (repository / "dist/manifest.json").read_bytes()
    only = ("export", "--model", "reading")
    run = ckpt_action(*only, folder=repository)
    assert run.returncode == 0, run.stderr
    assert "reading: unchanged, taken from dist" in run.stderr
    assert "exporting" not in run.stderr
    assert "unchanged, taken from dist" in run.stdout
    assert "taken from <code>dist</code>" in (repository / "dist/report.html").read_text()
    assert (repository / "dist/manifest.json").read_bytes() == manifest

    again = ("--previous", "dist", "--output-dir", "elsewhere")
    run = ckpt_action(*only, *again, folder=repository)
    assert run.returncode == 0, run.stderr
    assert "exporting" not in run.stderr
    taken, made = repository / "elsewhere/reading", repository / "dist/reading"
    for file in made.rglob("*.*"):
        assert (taken / file.relative_to(made)).read_bytes() == file.read_bytes()
    assert ckpt_action("verify", "elsewhere", folder=repository).returncode == 0

    edit(repository / "lazy.py", "x + x", "x + x + 1")
    run = ckpt_action(*only, folder=repository)
    assert "reading: exported again: lazy.py changed" in run.stderr
    assert "golden" in run.stdout
    assert run.returncode != 0

    edit(repository / "lazy.py", "x + x + 1", "x + x")
    run = ckpt_action(*only, "--no-reuse", *again, folder=repository)
    assert "reading: exporting" in run.stderr
    assert run.returncode == 0

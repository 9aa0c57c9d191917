"""Exports that go wrong: what each failure is called, and what it leaves alone."""

from __future__ import annotations

import io
import json
import shutil
from importlib import util
from pathlib import Path

import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.export import Options, export
from ckpt_action.manifest import read_manifest
from ckpt_action.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def broken(trained, tmp_path_factory):
    """One run of many models that go wrong each in its own way."""
    repository = Path(shutil.copytree(trained, tmp_path_factory.mktemp("broken") / "repository"))
    secret = {"PLAIN": "the-secret-itself", "DEPLOY_TOKEN": "the-secret-itself"}
    run = ckpt_action("export", "broken.toml", "--format", "json", folder=repository, **secret)
    report = json.loads(run.stdout)
    return repository, run, {job["name"]: job for job in report["jobs"]}


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("raises", ExitCode.REBUILD, "no such layer"),
        ("exits", ExitCode.REBUILD, "exit"),
        ("exits_hard", ExitCode.CRASH, "status 5"),
        ("hangs", ExitCode.CRASH, "took longer than 20 s"),
        ("crashes", ExitCode.CRASH, "SIGSEGV"),
        ("Noisy", ExitCode.VERIFY, "different outputs for the same inputs"),
        ("Shifted", ExitCode.VERIFY, "golden values"),
        ("Broken", ExitCode.VERIFY, "no finite value"),
        ("Tabled", ExitCode.TARGET, "table"),
        ("small", ExitCode.GATE, "max-size"),
    ],
)
def test_each_failure_is_named(broken, name, code, says):
    repository, _, jobs = broken
    job = jobs[name]
    problems = job["problems"] + [p for a in job["artifacts"] for p in a["problems"]]
    errors = [p for p in problems if p["severity"] == "error"]
    assert [p["code"] for p in errors] == [code]
    assert says.lower() in errors[0]["message"].lower()
    assert (repository / "dist" / name).exists() == (name == "Tabled")


def test_failures_hide_neither_the_good_nor_each_other(broken):
    repository, run, jobs = broken
    assert run.returncode == ExitCode.VERIFY
    assert "Traceback" not in run.stdout + run.stderr
    assert (repository / "dist" / "Loud" / "saved-model").is_dir()
    assert len(jobs) == 11
    manifest = read_manifest(repository / "dist")
    assert {job.name: job.failed_targets for job in manifest.jobs} == {
        "Loud": (),
        "Tabled": ("frozen-graph",),
    }
    assert manifest.failed == tuple(sorted(jobs.keys() - {"Loud", "Tabled"}))
    assert not (repository / "dist" / "Tabled" / "frozen-graph").exists()
    assert not (repository / "dist" / ".staging").exists()


def test_the_log_of_a_crash_is_in_the_report(broken):
    (problem,) = broken[2]["crashes"]["problems"]
    assert "about to fall" in problem["details"]
    assert any("Segmentation fault" in line for line in problem["details"])
    assert "rebuilding the model" in problem["message"]


def test_what_the_code_printed_is_beside_a_proof_that_failed(broken):
    """Bounded, and without the values of secrets."""
    (error,) = (p for p in broken[2]["Shifted"]["problems"] if p["severity"] == "error")
    told = error["details"][error["details"].index("It printed last:") :]
    assert "the layers of version 2 ***" in told
    assert max(map(len, told)) == 400


def test_what_is_not_installed_is_said_before_anything_begins(repository, monkeypatch, capsys):
    """All of it at once, with the other problems, and one command that installs it."""
    config = repository / "model-export.toml"
    targets = 'targets = ["saved-model", "tflite", "onnx"]'
    config.write_text(
        config.read_text().replace('targets = ["saved-model", "frozen-graph"]', targets)
    )
    (repository / "runs/dense/ckpt-1.index").unlink()
    shutil.rmtree(repository / "dist", ignore_errors=True)
    real, absent = util.find_spec, {"ai_edge_litert", "tf2onnx", "onnx", "onnxruntime"}
    monkeypatch.setattr(util, "find_spec", lambda name: None if name in absent else real(name))
    with pytest.raises(CkptActionError) as raised:
        export(config, Options(), ENVIRON, Progress(io.StringIO()))
    *others, missing = raised.value.problems
    assert [problem.code for problem in others] == [ExitCode.CHECKPOINT]
    assert missing.code is ExitCode.ENVIRONMENT
    names = "ai_edge_litert, tf2onnx, onnx and onnxruntime"
    assert missing.message.startswith(f"{names} are not installed")
    assert 'pip install "ckpt-action[onnx,tflite]"' in missing.hint
    assert missing.where.key_path == "models.affine.targets[1]"
    assert "[models.affine]" in config.read_text().splitlines()[missing.where.line - 1]
    assert not (repository / "dist").exists()


def test_nothing_is_touched_where_even_the_checkpoint_cannot_be_read(tmp_path, monkeypatch):
    """Without h5py there is no job; all that is missing is named nevertheless."""
    shutil.copy(ROOT / "tests/checkpoint/data/keras3_files/m.keras", tmp_path / "a.keras")
    absent_module = tmp_path / "path" / "h5py.py"  # the file is read in another process
    absent_module.parent.mkdir()
    absent_module.write_text("raise ModuleNotFoundError(name='h5py')")
    monkeypatch.syspath_prepend(absent_module.parent)
    config = tmp_path / "model-export.toml"
    config.write_text(
        'version = 1\n[models.a]\ncheckpoints = ["a.keras"]\ntargets = ["saved-model"]\n'
    )
    real, absent = util.find_spec, {"tensorflow", "h5py"}
    monkeypatch.setattr(util, "find_spec", lambda name: None if name in absent else real(name))
    with pytest.raises(CkptActionError) as raised:
        export(config, Options(), ENVIRON, Progress(io.StringIO()))
    (missing,) = raised.value.problems
    assert missing.message.startswith("tensorflow and h5py are not installed")
    assert not (tmp_path / "dist").exists()

"""`inspect`, `plan` and the digest, as a user runs them: whole processes on real files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from checkpoint_files import CORPUS, DATA, copied

from ckpt_action.checkpoint.digest import checkpoint_digest
from ckpt_action.checkpoint.identify import identify
from ckpt_action.config.load import load_config
from ckpt_action.errors import ExitCode
from ckpt_action.plan import make_plan

TOML = """\
version = 1

[models.several]
entry-point = "model:build"
checkpoints = ["runs/*"]
select      = "all"
targets     = ["saved-model"]

[models.several.signatures.serving_default]
inputs = { x = { dtype = "float32", shape = ["batch", 4] } }

[models.lost]
entry-point = "model:build"
checkpoints = ["elsewhere/*"]
targets     = ["saved-model", "frozen-graph"]
"""


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "ckpt_action", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    (tmp_path / "model-export.toml").write_text(TOML)
    (tmp_path / "model.py").write_text("def build(): ...\n")
    for name in ("ckpt-9", "ckpt-10", "ckpt-11"):
        copied(DATA / f"keras2_manager/{name}", tmp_path / "runs")
    return tmp_path


def test_inspect_as_text():
    result = run("inspect", "lstm_md/data/training_checkpoints", cwd=CORPUS)
    assert result.returncode == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "lstm_md/data/training_checkpoints/ckpt_20"
    assert "  kind    tf-object-graph, written by keras-2" in lines
    assert "model: 6 values, 75.9 kB" in lines
    assert "optimizer: 15 values, 151.9 kB" in lines
    assert ("  layer_with_weights-1/cell/bias              float32  [256]      lstm/bias") in lines


def test_inspect_as_json():
    result = run("inspect", DATA / "keras3_files/m.keras", "--format", "json", cwd=CORPUS)
    data = json.loads(result.stdout)
    assert data["files"]["kind"] == "keras-archive"
    assert data["totals"] == {"model": {"values": 2, "bytes": 20}}
    assert data["entries"][0] == {
        "key": "layers/dense/vars/0",
        "dtype": "bfloat16",
        "shape": [4, 2],
        "bytes": 16,
        "role": "model",
        "full_name": "dense_5/0",
    }


def test_inspect_of_what_is_broken():
    result = run("inspect", "starreduction_lfs/data/weights", cwd=CORPUS)
    assert result.returncode == ExitCode.CHECKPOINT
    assert result.stdout == ""
    assert "git lfs pull" in result.stderr
    assert "Traceback" not in result.stderr


def test_inspect_wants_a_step():
    result = run("inspect", "x", "--select", "newest", cwd=CORPUS)
    assert result.returncode == ExitCode.USAGE
    assert "neither `latest` nor a step" in result.stderr
    chosen = run("inspect", "keras2_manager", "--select", "10", cwd=DATA)
    assert chosen.stdout.startswith("keras2_manager/ckpt-10\n")


def test_a_key_cannot_write_a_workflow_command(tmp_path, monkeypatch):
    """Keys are foreign text: no line of the log may start with `::`."""
    from ckpt_action.cli import main

    shutil.copytree(DATA / "module", tmp_path / "::error::x")
    monkeypatch.chdir(tmp_path)

    captured = []
    monkeypatch.setattr("sys.stdout.write", captured.append)
    assert main(["inspect", "::error::x"]) == 0
    assert captured
    assert not any(line.startswith("::") for line in "".join(captured).splitlines())


def test_plan_goes_on_beside_a_lost_model(project):
    result = run("plan", "--format", "json", cwd=project)
    assert result.returncode == ExitCode.CHECKPOINT
    data = json.loads(result.stdout)
    assert [job["name"] for job in data["jobs"]] == ["several@9", "several@10", "several@11"]
    assert data["jobs"][0]["targets"] == [
        {
            "name": "saved-model",
            "format": "saved-model",
            "folder": "dist/several@9/saved-model",
        }
    ]
    assert data["jobs"][0]["checkpoint"]["path"] == "runs/ckpt-9"
    [lost] = data["problems"]
    assert lost["key_path"] == "models.lost.checkpoints"
    text = run("plan", "--model", "several", cwd=project)
    assert text.returncode == 0
    assert text.stdout.endswith("3 jobs, 3 artifacts\n")


def test_plan_of_a_model_that_is_not_there(project):
    result = run("plan", "--model", "severl", cwd=project)
    assert result.returncode == ExitCode.USAGE
    assert "Did you mean 'several'?" in result.stderr


def test_two_checkpoints_of_one_step_are_refused_and_neither_is_planned(project):
    copied(DATA / "keras2_manager/ckpt-9", project / "runs/again")
    file = project / "model-export.toml"
    file.write_text(TOML.replace("runs/*", "runs/**/ckpt-*"))
    config = load_config(file).config
    plan = make_plan(config, models=("several",))
    assert [job.name for job in plan.jobs] == ["several@10", "several@11"]
    [problem] = plan.problems
    assert problem.code is ExitCode.CONFIG
    assert "2 checkpoints would be exported as several@9" in problem.message


@pytest.mark.parametrize(
    "source", ["keras2_manager/ckpt-11", "keras3_files/m.weights.h5", "keras3_files/m.keras"]
)
def test_weights_without_an_entry_point_are_not_planned(tmp_path, source):
    """Only the archive says how its model is built."""
    (tmp_path / "runs").mkdir()
    for file in DATA.glob(f"{source}*"):
        shutil.copy(file, tmp_path / "runs")
    text = 'version = 1\n[models.m]\ncheckpoints = ["runs/*"]\ntargets = ["saved-model"]\n'
    (tmp_path / "model-export.toml").write_text(text)
    result = run("plan", cwd=tmp_path)
    if source.endswith(".keras"):
        assert (result.returncode, result.stderr) == (0, "")
        return
    assert result.returncode == ExitCode.CONFIG
    assert "The key `entry-point` is missing" in result.stderr
    assert "[models.m]" in result.stderr
    assert result.stdout == "0 jobs, 0 artifacts\n"


def test_a_broken_configuration_has_no_plan(project):
    (project / "model-export.toml").write_text("version = 2\n")
    result = run("plan", cwd=project)
    assert result.returncode == ExitCode.CONFIG
    assert result.stdout == ""


def test_the_digest_follows_names_sizes_and_bytes_but_not_the_folder(tmp_path):
    source = DATA / "keras2_manager/ckpt-11"
    one = identify(copied(source, tmp_path / "a"))
    two = identify(copied(source, tmp_path / "b"))
    assert checkpoint_digest(one) == checkpoint_digest(two)
    assert checkpoint_digest(replace(one, files=one.files[::-1])) == checkpoint_digest(one)
    assert checkpoint_digest(one) != checkpoint_digest(identify(DATA / "keras2_manager/ckpt-10"))
    data = tmp_path / "b/ckpt-11.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    assert checkpoint_digest(one) != checkpoint_digest(two)

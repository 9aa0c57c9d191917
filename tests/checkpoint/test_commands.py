"""`inspect`, `plan` and the digest, as a user runs them: whole processes on real files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import util

import pytest
from checkpoint_files import CORPUS, DATA, copied

from ckpt_action.checkpoint.identify import identify
from ckpt_action.checkpoint.records import CheckpointSummary, Entry, Role
from ckpt_action.cli import main
from ckpt_action.commands.inspect import summary_lines
from ckpt_action.config.load import load_config
from ckpt_action.digests import set_digest
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
    assert lines[lines.index("optimizer: 15 values, 151.9 kB") + 1 :][:2] == [
        "  `--format json` lists them",
        "",
    ]


def test_inspect_counts_as_people_do():
    entries = [
        Entry(key=f"vars/{number}", dtype="float32", shape=(), bytes=4, role=Role.MODEL)
        for number in (10, 2)
    ]
    files = identify(DATA / "keras3_lists/ckpt-1")
    lines = summary_lines(CheckpointSummary(files=files, entries=tuple(entries)))
    assert [line.split()[0] for line in lines if "vars/" in line] == ["vars/2", "vars/10"]


def test_inspect_shows_the_place_in_the_model_and_the_key_where_they_differ():
    entry = Entry(
        key="optimizer/_trainable_variables/0/b/.ATTRIBUTES/VARIABLE_VALUE",
        dtype="float32",
        shape=(3,),
        bytes=12,
        role=Role.MODEL,
        path="model/layers/0/b",
    )
    files = identify(DATA / "keras3_lists/ckpt-1")
    said = "\n".join(summary_lines(CheckpointSummary(files=files, entries=(entry,))))
    (line,) = (line.split() for line in said.splitlines() if "layers" in line)
    assert line == [
        *("model/layers/0/b", "float32", "[3]"),
        *("stored", "as", "optimizer/_trainable_variables/0/b"),
    ]


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
        "path": "",
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
    assert data["without_job"] == ["lost"]
    [lost] = data["problems"]
    assert lost["where"]["key_path"] == "models.lost.checkpoints"
    place = (lost["where"]["file"], lost["where"]["line"], lost["where"]["column"])
    checked = run("validate", "--format", "json", cwd=project)
    (file,) = json.loads(checked.stdout)["files"]
    (same,) = (p for p in file["problems"] if p["message"] == lost["message"])
    assert place == (same["where"]["file"], same["where"]["line"], same["where"]["column"])
    text = run("plan", "--model", "several", cwd=project)
    assert text.returncode == 0
    assert text.stdout.endswith("3 jobs, 3 artifacts\n")


def test_a_root_that_the_checkpoint_does_not_have_is_found_without_tensorflow(project):
    """At its key, with the parts that there are; the others are planned all the same."""
    config = project / "model-export.toml"
    config.write_text(
        TOML.split("[models.lost]", maxsplit=1)[0].replace("select ", 'restore.root = "mod"\n#')
    )
    for command in ("validate", "plan"):
        result = run(command, cwd=project)
        assert result.returncode == ExitCode.RESTORE
        said = result.stdout + result.stderr
        assert "model-export.toml:6:16: error: The checkpoint has no part `mod`" in said
        assert "Did you mean `model`? It has model." in said
    config.write_text(config.read_text().replace('"mod"', '"model.lost"'))
    assert "`model` has no part `lost`" in run("validate", cwd=project).stdout
    config.write_text(config.read_text().replace('"model.lost"', '"model"'))
    assert run("validate", cwd=project).returncode == 0


def test_plan_notes_what_an_export_would_lack_here(project, monkeypatch, capsys):
    """In text, and no more than a note: the machine that exports may be another."""
    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda n: None if n == "tensorflow" else real(n))
    monkeypatch.chdir(project)
    assert main(["plan", "--model", "several"]) == 0
    said = capsys.readouterr().err
    assert "note: tensorflow is not installed in the Python that runs ckpt-action." in said
    assert 'pip install "ckpt-action[tensorflow]"' in said


def test_checkpoints_that_no_checkout_will_have(project, monkeypatch, capsys):
    """Not those that are committed all the same, nor what DVC tracks and has git ignore."""
    (project / ".gitignore").write_text("*.index\n*.data-*\n/model.py\n")
    for arguments in (["init", "--quiet"], ["add", "--force", *project.glob("runs/ckpt-9.*")]):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    monkeypatch.chdir(project)
    monkeypatch.delenv("CI", raising=False)

    def said(*arguments):
        main(arguments)
        captured = capsys.readouterr()
        return captured.out + captured.err

    several = "git ignores ckpt-10.data-00000-of-00001 and 3 more: the checkout of a workflow will"
    text = said("plan", "--model", "several")
    assert f"model-export.toml:5:15: warning: {several}" in text
    assert "Git LFS" in text
    assert "ckpt-11.data-00000-of-00001 and 1 more: the" in said("inspect", "runs")
    assert "workflow" not in said("inspect", "runs", "--select", "9")
    edited = TOML.replace("elsewhere/*", "runs/ckpt-9")
    (project / "model-export.toml").write_text(edited)
    assert several in said("validate")
    (project / "linked").symlink_to("runs")
    linked = edited.replace("runs/ckpt-9", "linked/ckpt-10")
    (project / "model-export.toml").write_text(linked)
    text = said("validate")
    assert several in text
    assert "git ignores ckpt-10.data-00000-of-00001 and 1 more" in text
    monkeypatch.setenv("CI", "true")
    assert "git ignores" not in said("validate") + said("plan") + said("inspect", "runs")
    monkeypatch.delenv("CI")
    (project / "runs.dvc").write_text("outs:\n- path: runs\n")
    assert "git ignores" not in said("validate")


def test_checkpoints_that_nobody_added(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    monkeypatch.delenv("CI", raising=False)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    subprocess.run(["git", "add", "runs/ckpt-10.index"], cwd=project, check=True)
    for name, files in {"9": "data-00000-of-00001 and 1 more", "10": "data-00000-of-00001"}.items():
        main(["inspect", f"runs/ckpt-{name}"])
        said = capsys.readouterr().err
        assert f"warning: Nobody added ckpt-{name}.{files} to git: the checkout of a" in said
        assert "then `git add`)" in said
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    main(["inspect", "runs"])
    assert "workflow" not in capsys.readouterr().err


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


def test_the_digest_of_files_follows_names_sizes_and_bytes_but_not_the_folder(tmp_path):
    one, two = (identify(copied(DATA / "keras2_manager/ckpt-11", tmp_path / name)) for name in "ab")
    before = set_digest(one.files, tmp_path / "a")
    assert set_digest(two.files[::-1], tmp_path / "b") == before
    assert set_digest(one.files, tmp_path) != before
    data = tmp_path / "b/ckpt-11.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    assert set_digest(two.files, tmp_path / "b") != before

"""A target whose writing crashes in native code fails alone: the others are written and proven."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import ckpt_action

from ckpt_action.errors import ExitCode
from ckpt_action.manifest import read_manifest

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def crashed(trained, tmp_path_factory):
    repository = Path(shutil.copytree(trained, tmp_path_factory.mktemp("crashed") / "repository"))
    run = ckpt_action("export", "crashing.toml", "--format", "json", folder=repository)
    jobs = {job["name"]: job for job in json.loads(run.stdout)["jobs"]}
    return repository, run, jobs


def test_the_other_targets_are_placed_and_proven(crashed):
    repository, run, jobs = crashed
    assert run.returncode == ExitCode.CRASH
    artifacts = {a["name"]: a for a in jobs["one"]["artifacts"]}
    assert list(artifacts) == ["saved-model", "board", "phone", "watch", "frozen-graph"]
    for name in ("saved-model", "frozen-graph"):
        assert (repository / "dist" / "one" / name).is_dir()
        assert all(proof["passed"] for proof in artifacts[name]["proofs"])
    assert not (repository / "dist" / "one" / "board").exists()
    (job,) = read_manifest(repository / "dist").jobs
    assert job.failed_targets == ("board", "phone", "watch")


def test_the_target_is_named_with_the_signal_and_what_was_printed(crashed):
    (board,) = (a for a in crashed[2]["one"]["artifacts"] if a["name"] == "board")
    (problem,) = board["problems"]
    assert problem["code"] == ExitCode.CRASH
    assert "SIGSEGV" in problem["message"]
    assert "writing board" in problem["message"]
    assert "The other targets go on without it" in problem["hint"]
    assert "about to fall" in problem["details"]
    assert crashed[2]["one"]["problems"] == []


def test_the_error_of_a_target_is_its_own(crashed):
    """It names the target, stands at its line where the code has none to blame, and shows what was
    printed meanwhile, no more."""
    repository, _, jobs = crashed
    artifacts = {a["name"]: a for a in jobs["one"]["artifacts"]}
    printed = {"phone": "nothing was recorded", "watch": "looking for recordings"}
    lines = (repository / "crashing.toml").read_text().splitlines()
    for name in ("board", "phone", "watch"):
        (problem,) = artifacts[name]["problems"]
        assert problem["message"].startswith(f"Target {name!r}: ")
        place = problem["where"]
        if name == "watch":
            assert place["file"].endswith("broken.py")
        else:
            assert place["key_path"] == f"models.one.targets[{list(artifacts).index(name)}]"
            assert f'name = "{name}"' in lines[place["line"] - 1]
    for name, line in printed.items():
        (problem,) = artifacts[name]["problems"]
        assert problem["code"] == ExitCode.TARGET
        details = problem["details"]
        assert line in details[details.index("It printed last:") :]
        assert not {*printed.values()} - {line} & {*details}


def test_where_every_target_crashes_each_is_told_of(crashed):
    repository, _, jobs = crashed
    told = [p["message"] for p in jobs["each"]["problems"] if p["severity"] == "error"]
    first, second = told
    assert "writing first" in first
    assert "writing second" in second
    assert not (repository / "dist" / "each").exists()

"""The reusable workflow, called as users call it: a plan, shards, one merge, one release."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.github.artifact_service import ArtifactService
from tests.github.documented import documented_workflow
from tests.github.local_runner import ROOT, RUNNER, STAND_INS, outcomes, run
from tests.github.many_models import write_models
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN

CALLER = documented_workflow("many-models.yml")
RUNNERS = """'["self-hosted", "big"]'"""


def call(
    workspace: Path,
    artifacts: ArtifactService,
    releases: ReleaseService,
    shards: int,
    caller: str = CALLER,
    path: Path | None = None,
) -> dict[str, Any]:
    """`path` holds programs that stand for those of a hosted machine."""
    inputs = f"shards: {shards}\n      jobs: 1\n      python: {sys.executable}\n"
    inputs += f"      trusted-python: {sys.executable}\n      runs-on: {RUNNERS}\n"
    assert "shards: 8\n" in caller
    (workspace / "caller.yml").write_text(caller.replace("shards: 8\n", inputs))
    github = {"ref": "refs/tags/v1", "ref_name": "v1", "ref_type": "tag", "token": TOKEN}
    return run(
        workspace,
        workflow="caller.yml",
        machines=True,
        nodeEnv=artifacts.environment(),
        github={**github, "api_url": releases.url},
        baseEnv={"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"} if path else {},
        uses={**STAND_INS, "ckpt-action/ckpt-action": str(ROOT)},
    )


def jobs_of(result: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for job in result["jobs"]:
        found.setdefault(job["name"].removeprefix("models / "), []).append(job)
    return found


def log(result: dict[str, Any]) -> str:
    return "\n".join(line for job in result["jobs"] for line in job.get("log", ()))


@pytest.mark.parametrize(
    ("models", "shards"),
    [
        pytest.param(6, 3, id="6-over-3"),
        pytest.param(40, 8, marks=pytest.mark.slow, id="40-over-8"),
    ],
)
def test_one_model_of_many_fails(
    tmp_path: Path,
    artifacts: ArtifactService,
    releases: ReleaseService,
    models: int,
    shards: int,
) -> None:
    bad = models - 3
    workspace = write_models(tmp_path / "repository", models, broken=bad)
    releases.add_release("v1", draft=True)
    result = call(workspace, artifacts, releases, shards)
    jobs = jobs_of(result)

    assert not result["ok"]
    assert [job["result"] for job in jobs["plan"]] == ["success"], log(result)
    ended = [job["result"] for job in jobs["export"]]
    assert sorted(ended) == ["failure"] + ["success"] * (shards - 1)
    assert [job["result"] for job in jobs["release"]] == ["skipped"]
    (merge,) = jobs["merge"]
    assert merge["result"] == "failure"

    assert "models" in artifacts.artifacts, log(result)
    whole = artifacts.artifacts["models"].files()
    manifest = json.loads(whole["manifest.json"])
    good = {f"m{number:02}" for number in range(models)} - {f"m{bad:02}"}
    assert {job["name"] for job in manifest["jobs"]} == good
    assert manifest["failed"] == [f"m{bad:02}"]
    assert {name.split("/")[0] for name in whole if "saved_model.pb" in name} == good
    (release,) = releases.releases.values()
    assert release.draft
    assert release.files() == {}

    summaries = [job["summary"] for job in result["jobs"] if job.get("summary")]
    assert len(summaries) == 1
    assert summaries[0].startswith(f"## ❌ 1 of {models} models failed&#58; m{bad:02} (rebuild)")
    assert f"### ❌ m{bad:02}\n" in summaries[0]
    assert "no such layer" in summaries[0]
    said = [a["message"] for job in jobs["export"] for a in job["annotations"]]
    assert any("no such layer" in message for message in said)
    matrix = json.loads(jobs["plan"][0]["outputs"]["matrix"])["include"]
    assert [entry["shard"] for entry in matrix] == [f"{n}/{shards}" for n in range(1, shards + 1)]
    assert all(len(entry["models"].split()) <= -(-models // shards) for entry in matrix)


def test_all_that_is_proven_is_released_by_a_job_that_alone_may_write(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    workspace = write_models(tmp_path / "repository", 2, broken=-1)
    result = call(workspace, artifacts, releases, 1)
    assert result["ok"], log(result)
    (release,) = releases.releases.values()
    assert not release.draft
    assert {f"m0{n}-saved-model.tar.gz" for n in range(2)} < set(release.files())
    jobs = jobs_of(result)
    assert {name: {tuple(j["permissions"].items()) for j in js} for name, js in jobs.items()} == {
        "plan": {(("contents", "read"),)},
        "export": {(("contents", "read"),)},
        "merge": {()},
        "release": {(("contents", "write"),)},
    }
    assert {name: js[0]["runsOn"] for name, js in jobs.items()} == {
        "plan": "ubuntu-latest", "export": ["self-hosted", "big"],
        "merge": "ubuntu-latest", "release": "ubuntu-latest",
    }  # fmt: skip
    declared = json.loads((RUNNER / "metadata.json").read_text())["scripts"]
    for name in ("plan", "merge"):
        (step,) = (
            s
            for s in jobs[name][0]["steps"]
            if s["id"] == name and s["action"] != f"models / {name}"
        )
        assert set(step["outputs"]) == set(declared[name])
    assert outcomes({"steps": jobs["merge"][0]["steps"]})["upload"] == "success"


GH = """\
#!/bin/sh
test -n "$GH_TOKEN" || exit 4
test -f BEFORE || { echo "release not found" >&2; exit 1; }
cp BEFORE manifest.json
"""


def test_a_release_is_compared_with_the_one_before_and_signed(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    """The first time there is nothing to compare with."""
    caller = documented_workflow("compared-models.yml")
    before = tmp_path / "before.json"
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH.replace("BEFORE", str(before)))
    gh.chmod(0o755)
    workspace = write_models(tmp_path / "repository", 1, broken=-1)
    first = call(workspace, artifacts, releases, 1, caller, gh.parent)
    assert first["ok"], log(first)
    (release,) = releases.releases.values()
    (attest,) = (job for job in first["jobs"] if job["name"] == "attest")
    assert attest["permissions"] == {"id-token": "write", "attestations": "write"}
    signed = [line.split()[-1] for line in attest["log"] if line.startswith("attested ")]
    assert set(signed) == set(release.files()) - {"SHA256SUMS"}
    assert "what changed" not in " ".join(job.get("summary", "") for job in first["jobs"]).lower()

    old = json.loads(release.files()["manifest.json"])
    old["jobs"][0]["versions"]["tensorflow"] = "2.15.0"
    before.write_text(json.dumps(old))
    releases.releases.clear()
    artifacts.artifacts.clear()
    again = call(workspace, artifacts, releases, 1, caller, gh.parent)
    assert again["ok"], log(again)
    (merged,) = jobs_of(again)["merge"]
    assert "made with tensorflow" in merged["summary"]
    assert "2&#46;15&#46;0" in merged["summary"]


def test_what_is_not_proven_is_not_released(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    """Nothing runs TFLite files that keep TensorFlow's own kernels, so nobody compares values."""
    workspace = write_models(tmp_path / "repository", 1, broken=-1)
    for name, old, new in (
        ("models.py", "x * self.w", "tf.linalg.inv(tf.linalg.diag(tf.abs(x * self.w) + 1.0))"),
        ("model-export.toml", '"saved-model"', '{ format = "tflite", select-tf-ops = true }'),
    ):
        file = workspace / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    result = call(workspace, artifacts, releases, 1)
    jobs = jobs_of(result)
    assert [(job["result"], job["outputs"]["verdict"]) for job in jobs["merge"]] == [
        ("success", "not proven")
    ], log(result)
    assert [job["result"] for job in jobs["release"]] == ["skipped"]
    assert not releases.releases


def test_nothing_to_export_ends_with_the_plan(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    workspace = write_models(tmp_path / "repository", 1, broken=-1)
    (workspace / "runs" / "model-16.index").unlink()
    result = call(workspace, artifacts, releases, 2)
    jobs = jobs_of(result)
    assert {name: js[0]["result"] for name, js in jobs.items()} == {
        "plan": "failure", "export": "skipped", "merge": "skipped", "release": "skipped",
    }  # fmt: skip
    assert jobs["plan"][0]["summary"].startswith("## ❌ The run failed (checkpoint)")


def test_the_plan_settles_the_python_of_all_shards(tmp_path: Path) -> None:
    """Installing fails here; the version is known before."""
    workspace = write_models(tmp_path / "repository", 1, broken=-1)
    result = run(
        workspace,
        root=str(ROOT),
        action="$/.github/actions/plan",
        inputs={"artifact-name": "p", "python-version": "3.12"},
        baseEnv={"TEST_PYTHON": sys.executable, "PIP_NO_INDEX": "1"},
    )
    assert result["outputs"]["python-version"] == platform.python_version()
    workflow = (ROOT / ".github/workflows/export.yml").read_text()
    settled = "needs.plan.outputs.python-version || inputs.python-version }}\n"
    but_windows = "!contains(inputs.runs-on, 'windows')"
    assert workflow.count(f"python-version: ${{{{ {but_windows} && {settled}") == 1

"""`action.yml` as users run it, on the digits example, through the real artifact client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ckpt_action.errors import ExitCode
from tests.github import artifact_service
from tests.github.artifact_service import ArtifactService
from tests.github.documented import documented_workflow
from tests.github.local_runner import ROOT, RUNNER, STAND_INS, outcomes, run

PYTHON = {"python": sys.executable}


@pytest.fixture
def service() -> Iterator[ArtifactService]:
    with artifact_service.running() as service:
        yield service


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository like the digits example, with the action in its own checkout beside it."""
    folder = tmp_path / "repository"
    shutil.copytree(ROOT / "examples" / "digits", folder, ignore=shutil.ignore_patterns("dist"))
    (folder / ".git").mkdir()
    return folder


def use_action(workspace: Path, service: ArtifactService, **spec: Any) -> dict[str, Any]:
    inputs = {**PYTHON, **spec.pop("inputs", {})}
    return run(
        workspace,
        root=str(ROOT),
        action="$/.",
        inputs=inputs,
        nodeEnv=service.environment(),
        **spec,
    )


def test_an_export_is_uploaded_whole(workspace: Path, service: ArtifactService) -> None:
    dump = 'import os, pathlib\npathlib.Path("seen.txt").write_text("\\n".join(os.environ))\n'
    dump += 'pathlib.Path("above.txt").write_bytes(b"".join(\n'
    dump += (
        '    pathlib.Path(f"/proc/{p}/environ").read_bytes() for p in (os.getpid(), os.getppid())\n'
    )
    dump += '    if pathlib.Path(f"/proc/{p}/environ").exists()))\n'
    model = workspace / "digits" / "model.py"
    model.write_text(model.read_text() + dump)
    secrets = {
        "GITHUB_TOKEN": "ghs_1",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ghs_2",
        "HF_TOKEN": "ghs_3",
    }

    result = use_action(workspace, service, scriptEnv=secrets, inputs={"retention-days": "3"})

    assert result["ok"], result["log"]
    assert outcomes(result) == {
        "python": "skipped",
        "inputs": "success",
        "cache": "skipped",
        "setup": "success",
        "save": "skipped",
        "export": "success",
        "upload": "success",
    }
    declared = json.loads((RUNNER / "metadata.json").read_text())["scripts"]
    written = {step["id"]: set(step["outputs"]) for step in result["steps"]}
    for name in ("setup", "export"):
        assert written[name] == set(declared[name])
    said = result["outputs"]
    assert (said["verdict"], said["manifest"]) == ("proven", "dist/manifest.json")
    assert [a["target"] for a in json.loads(said["artifacts"])] == ["saved-model", "frozen-graph"]
    assert result["summary"].startswith("## ✅ 1 model exported and proven")
    assert result["annotations"] == []
    stored = service.artifacts[said["artifact-name"]]
    on_disk = {
        file.relative_to(workspace / "dist").as_posix(): file.read_bytes()
        for file in (workspace / "dist").rglob("*")
        if file.is_file()
    }
    assert stored.files() == on_disk
    expected = {"manifest.json", "report.html", "SHA256SUMS", "digits/saved-model/saved_model.pb"}
    assert set(on_disk) >= expected

    seen = (workspace / "seen.txt").read_text().split("\n")
    assert "HOME" in seen
    assert not {*secrets, "GITHUB_ENV", "GITHUB_PATH", "ACTIONS_RUNTIME_TOKEN"} & set(seen)
    assert b"ghs_" not in (workspace / "above.txt").read_bytes()
    assert any("Withheld from the code" in line and "HF_TOKEN" in line for line in result["log"])


def test_a_failing_model_leaves_a_red_run_with_the_place(
    workspace: Path, service: ArtifactService
) -> None:
    model = workspace / "digits" / "model.py"
    model.write_text(model.read_text() + '\n\ndef broken():\n    raise ValueError("##[error]no")\n')
    config = workspace / "model-export.toml"
    text = config.read_text().replace("digits.model:build", "digits.model:broken")
    config.write_text(text)

    result = use_action(workspace, service)

    assert not result["ok"]
    assert outcomes(result)["export"] == "failure"
    assert result["outputs"]["verdict"] == "failed"
    errors = [a for a in result["annotations"] if a["type"] == "error"]
    assert errors[0]["file"] == "digits/model.py"
    assert "ValueError" in errors[0]["message"]
    assert result["summary"].startswith("## ❌ 1 of 1 model failed&#58; digits (rebuild)")
    assert not [a for a in result["annotations"] if a["message"] == "no"]
    assert "saved_model.pb" not in str([a.files() for a in service.artifacts.values()])


def test_a_broken_configuration_is_annotated_at_its_line(
    workspace: Path, service: ArtifactService
) -> None:
    config = workspace / "model-export.toml"
    config.write_text(config.read_text().replace("checkpoints", "checkpoint"))
    result = use_action(workspace, service)
    assert outcomes(result)["upload"] == "skipped"
    assert result["outputs"]["verdict"] == "failed"
    assert ("model-export.toml", "5") in [
        (a.get("file"), a.get("line")) for a in result["annotations"]
    ]
    assert service.artifacts == {}


def test_an_input_that_cannot_be_meant_stops_the_setup(
    workspace: Path, service: ArtifactService
) -> None:
    result = use_action(workspace, service, inputs={"artifact-name": "a:b", "jobs": "0"})
    ended = outcomes(result)
    assert ended.pop("inputs") == "failure"
    assert set(ended.values()) == {"skipped"}
    assert len([a for a in result["annotations"] if a["message"].startswith("input `")]) == 2


def test_nothing_is_exported_where_a_token_lies_about(
    workspace: Path, service: ArtifactService
) -> None:
    header = "AUTHORIZATION: basic eDpnaHNfMQ=="
    git = ["git", "-C", workspace]
    subprocess.run([*git, "init", "--quiet"], check=True)
    name = "http.https://github.com/.extraheader"
    subprocess.run([*git, "config", "--local", name, header], check=True)
    result = use_action(workspace, service)
    ended = outcomes(result)
    assert ended["inputs"] == "failure"
    assert ended["setup"] == ended["export"] == "skipped"
    assert "left its token in .git/config" in result["annotations"][0]["message"]


@pytest.mark.parametrize("program", ["no-such-python", "OLD"])
def test_a_python_that_is_none_is_named(
    workspace: Path, service: ArtifactService, tmp_path: Path, program: str
) -> None:
    if program == "OLD":
        program = str(tmp_path / "python3.9")
        Path(program).write_text("#!/bin/sh\nexit 1\n")
        Path(program).chmod(0o755)
    result = use_action(workspace, service, inputs={"python": program})
    assert outcomes(result)["inputs"] == "failure"
    assert "input `python`: there is no Python 3.10" in result["annotations"][0]["message"]


@pytest.mark.parametrize("step", ["inputs", "merge", "release", "setup-plan"])
def test_a_python_that_nobody_named_is_not_blamed_on_the_input(step: str) -> None:
    """What actions/setup-python has installed: gone from the machine, or an old one."""
    environ = {"PATH": os.environ["PATH"], "BOOTSTRAP": "/no/such/python", "CKPT_ACTION_PYTHON": ""}
    command = ["bash", ROOT / ".github" / "actions" / "start.sh", step]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == ExitCode.ENVIRONMENT
    (line,) = run.stdout.splitlines()
    assert line.startswith("::error title=ckpt-action::The Python of actions/setup-python")


def test_every_step_that_starts_python_says_whether_somebody_named_it() -> None:
    actions = [*ROOT.glob("*action.yml"), *ROOT.glob("release/action.yml")]
    actions += ROOT.glob(".github/actions/*/action.yml")
    steps = [step for file in actions for step in file.read_text().split("\n    - ")]
    started = [step for step in steps if "start.sh" in step]
    assert len(started) >= 6
    for step in started:
        assert "BOOTSTRAP: ${{ inputs.python || steps.python.outputs.python-path }}" in step
        assert "CKPT_ACTION_PYTHON: ${{ inputs.python }}" in step


def test_a_strangers_code_never_runs_with_the_repositorys_rights(
    workspace: Path, service: ArtifactService
) -> None:
    event = {"pull_request": {"head": {"repo": {"full_name": "stranger/models"}}}}
    result = use_action(
        workspace, service, github={"event_name": "pull_request_target"}, event=event
    )
    assert outcomes(result)["export"] == "skipped"
    assert "stranger/models is refused" in result["annotations"][0]["message"]


def test_the_first_workflow_of_the_readme(workspace: Path, service: ArtifactService) -> None:
    action = "      - uses: ckpt-action/ckpt-action@v0\n"
    workflow = documented_workflow("export.yml")
    assert action in workflow
    given = f"{action}        with: {{ python: {sys.executable} }}\n"
    (workspace / "workflow.yml").write_text(workflow.replace(action, given))
    uses = {**STAND_INS, "ckpt-action/ckpt-action": str(ROOT)}
    result = run(workspace, workflow="workflow.yml", uses=uses, nodeEnv=service.environment())
    (job,) = result["jobs"]
    assert result["ok"], job["log"]
    assert job["permissions"] == {}
    assert "digits/saved-model/saved_model.pb" in service.artifacts["models-export"].files()


def test_the_documented_workflow_takes_what_is_unchanged_from_the_run_before(
    workspace: Path, service: ArtifactService, tmp_path: Path
) -> None:
    action = "      - uses: ckpt-action/ckpt-action@v0\n"
    given = f"{action}        with: {{ python: {sys.executable} }}\n"
    workflow = documented_workflow("unchanged-models.yml")
    assert action in workflow
    (workspace / "workflow.yml").write_text(workflow.replace(action, given))
    (tmp_path / "cache").mkdir()
    logs = []
    for number in ("1", "2"):
        service.artifacts.clear()
        result = run(
            workspace,
            workflow="workflow.yml",
            machines=True,
            nodeEnv=service.environment(),
            baseEnv={"TEST_CACHE": str(tmp_path / "cache")},
            github={"run_id": number},
            uses={**STAND_INS, "ckpt-action/ckpt-action": str(ROOT)},
        )
        (job,) = result["jobs"]
        assert result["ok"], job["log"]
        logs.append("\n".join(job["log"]))
    assert "digits: exporting" in logs[0]
    assert "digits: unchanged, taken from dist" in logs[1]
    assert "exporting" not in logs[1]
    assert "Changed since <code>dist</code>: nothing" in job["summary"]


def python_with_pip() -> str:
    """As actions/setup-python brings it."""
    for python in (sys.executable, str(Path(sys.base_prefix) / "bin" / "python3")):
        asked = [python, "-m", "pip", "--version"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip("there is no Python with pip")


@pytest.mark.slow
def test_a_second_hosted_machine_installs_from_the_cache(
    workspace: Path, service: ArtifactService, tmp_path: Path
) -> None:
    """The environment is made for real, which takes the package registry."""
    (tmp_path / "cache").mkdir()
    config = workspace / "model-export.toml"
    declared = config.read_text().replace('"saved-model",', '"saved-model", "tfjs",')
    config.write_text(declared)
    assert "tfjs" in declared
    hosted: dict[str, Any] = {
        "runner": {"environment": "github-hosted"},
        "baseEnv": {
            **{
                k: v for k, v in os.environ.items() if k.startswith(("UV_", "PIP_", "SSL_", "npm_"))
            },
            "TEST_PYTHON": python_with_pip(),
            "TEST_CACHE": str(tmp_path / "cache"),
        },
        "inputs": {"python": ""},
    }
    cold = use_action(workspace, service, **hosted)
    if any("Failed to fetch" in line or "Connection" in line for line in cold["log"]):
        pytest.skip("the package registry cannot be reached")
    assert cold["ok"], cold["log"]
    assert cold["outputs"]["verdict"] == "proven"  # TensorFlow.js in Node among the proofs
    assert (outcomes(cold)["cache"], outcomes(cold)["save"]) == ("success", "success")
    assert len(list((tmp_path / "cache").iterdir())) == 1

    service.artifacts.clear()
    again: dict[str, Any] = {**hosted, "inputs": {"python": "", "reuse": "false"}}
    again["baseEnv"] |= {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "npm_config_offline": "1"}
    warm = use_action(workspace, service, **again)
    assert warm["ok"], warm["log"]
    assert warm["outputs"]["verdict"] == "proven"
    assert (outcomes(warm)["cache"], outcomes(warm)["save"]) == ("success", "skipped")

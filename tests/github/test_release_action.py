"""`release/action.yml`, and the workflow that `docs/github.md` shows, as users run them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.github.artifact_service import ArtifactService
from tests.github.documented import documented_workflow
from tests.github.exported import exported
from tests.github.local_runner import ROOT, RUNNER, STAND_INS, outcomes, run
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN

EXPORT = "ckpt-action/ckpt-action"
UPLOAD = """
on: push
jobs:
  export:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/upload-artifact@v7
        with: {name: models, path: dist}
  release:
    needs: export
    runs-on: ubuntu-latest
    steps:
      - id: release
        uses: ckpt-action/ckpt-action/release@v0
        with: {artifact-name: models, python: PYTHON, DRAFT}
"""


def run_workflow(
    workspace: Path, artifacts: ArtifactService, releases: ReleaseService, **spec: Any
) -> dict[str, Any]:
    github = {"ref": "refs/tags/v1", "ref_name": "v1", "ref_type": "tag", "api_url": releases.url}
    return run(
        workspace,
        nodeEnv=artifacts.environment(),
        github={**github, "token": TOKEN, **spec.pop("github", {})},
        baseEnv={"TEST_PYTHON": sys.executable},
        uses={**STAND_INS, EXPORT: str(ROOT), f"{EXPORT}/release": str(ROOT / "release")},
        **spec,
    )


def upload_and_release(tmp_path: Path, *services: Any, draft: str = "", **spec: Any) -> Any:
    workflow = UPLOAD.replace("PYTHON", sys.executable).replace(", DRAFT", draft)
    (tmp_path / "workflow.yml").write_text(workflow)
    return run_workflow(tmp_path, *services, workflow="workflow.yml", **spec)


def test_what_was_exported_in_one_job_is_released_in_the_next(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    exported(tmp_path / "dist", "digits")
    result = upload_and_release(tmp_path, artifacts, releases)
    job = result["jobs"][-1]
    assert result["ok"], job["log"]
    (release,) = releases.releases.values()
    assert not release.draft
    assert set(release.files()) > {"digits-saved-model.tar.gz", "digits-frozen-graph.pb"}
    assert "## 📦 Published: v1" in job["summary"]
    assert job["summary"].count("\n| <code>") == len(release.files()) - 1
    step = next(step for step in job["steps"] if step["id"] == "release")
    declared = json.loads((RUNNER / "metadata.json").read_text())["scripts"]["release"]
    assert list(step["outputs"]) == declared
    assert not any(TOKEN in line for line in job["log"])

    releases.log.clear()
    assert upload_again(tmp_path, artifacts, releases)["ok"]
    assert [line for line in releases.log if not line.startswith("GET")] == []


def upload_again(tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService) -> Any:
    artifacts.artifacts.clear()
    return upload_and_release(tmp_path, artifacts, releases)


def test_a_draft_where_asked(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    exported(tmp_path / "dist", "digits")
    assert upload_and_release(tmp_path, artifacts, releases, draft=", draft: true")["ok"]
    assert [release.draft for release in releases.releases.values()] == [True]


def test_a_release_of_another_repository_with_title_and_text(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    exported(tmp_path / "dist", "digits")
    texts = ', repository: octo/releases, name: --May, notes: "# New\\n- all", generate-notes: true'
    result = upload_and_release(tmp_path, artifacts, releases, draft=texts)
    assert result["ok"], result["jobs"][-1]["log"]
    (release,) = releases.releases.values()
    assert release.repository == "octo/releases"
    assert (release.data["name"], release.data["body"]) == ("--May", "# New\n- all")
    assert release.data["generate_release_notes"]
    assert "target_commitish" not in release.data  # that repository has no such commit


@pytest.mark.parametrize(
    ("github", "failed", "said"),
    [
        ({}, ("digits",), "The last export of digits failed"),
        ({"ref_type": "branch"}, (), "this run is not for a tag"),
        ({"token": "another"}, (), "HTTP 401: Bad credentials"),
        ({"event_name": "workflow_run"}, (), "`workflow_run` event from an unknown repository"),
    ],
)
def test_what_is_wrong_is_an_annotation_and_a_red_job(
    tmp_path: Path,
    artifacts: ArtifactService,
    releases: ReleaseService,
    github: dict[str, str],
    failed: tuple[str, ...],
    said: str,
) -> None:
    exported(tmp_path / "dist", "digits", kept=failed)
    result = upload_and_release(tmp_path, artifacts, releases, github=github)
    job = result["jobs"][-1]
    assert not result["ok"]
    assert any(said in annotation["message"] for annotation in job["annotations"]), job["log"]
    assert releases.releases == {}


def test_the_documented_workflow(
    tmp_path: Path, artifacts: ArtifactService, releases: ReleaseService
) -> None:
    """With this Python's TensorFlow for the export; the release installs what it needs itself."""
    workspace = tmp_path / "repository"
    shutil.copytree(ROOT / "examples/digits", workspace, ignore=shutil.ignore_patterns("dist"))
    (workspace / ".git").mkdir()
    workflow = documented_workflow("models.yml")
    first = "          artifact-name: models\n"
    workflow = workflow.replace(first, f"{first}          python: {sys.executable}\n", 1)
    (workspace / "workflow.yml").write_text(workflow)

    result = run_workflow(workspace, artifacts, releases, workflow="workflow.yml")

    assert result["ok"], [line for job in result["jobs"] for line in job["log"]]
    (release,) = releases.releases.values()
    expected = {
        "digits-saved-model.tar.gz", "digits-frozen-graph.pb", "digits-frozen-graph.io.json",
        "manifest.json", "SHA256SUMS",
    }  # fmt: skip
    assert set(release.files()) == expected
    assert not release.draft
    export, release_job = result["jobs"]
    assert export["permissions"] == {"contents": "read"}
    assert set(release_job["permissions"]) == {"contents", "id-token", "attestations"}
    attested = [line for line in release_job["log"] if line.startswith("attested ")]
    assert len(attested) == len(expected) - 1
    assert outcomes({"steps": release_job["steps"]})["release"] == "success"

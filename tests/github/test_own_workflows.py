"""The project's own workflows that use its actions, job by job, with this Python for theirs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from ckpt_action import __version__
from tests.github.artifact_service import ArtifactService
from tests.github.local_runner import HERE, ROOT, STAND_INS, run
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN

PARTS = (
    ".github",
    "ckpt_action",
    "examples/digits",
    "release",
    "requirements",
    "tests/github/data",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    for part in PARTS:
        unwanted = shutil.ignore_patterns("dist", "__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=unwanted)
    for file in ("action.yml", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    (folder / ".git").mkdir()
    return folder


def with_this_python(workflow: Path) -> None:
    """Nothing is installed, and of a matrix of versions one is left."""
    line = f"python: {sys.executable}\n"
    changes = (
        (r"^ +tensorflow-version: .*\n", ""),
        (r"(^ +- \{ tensorflow: .*\n)(?: +- \{ tensorflow: .*\n)+", r"\1"),
        (r"^( {10})((?:config|tag): .*\n)", rf"\1\2\1{line}"),
        (r"^( {6})(shards: .*\n)", rf"\1\2\1{line}\1trusted-{line}"),
    )
    text = workflow.read_text()
    for old, new in changes:
        text = re.sub(old, new, text, flags=re.MULTILINE)
    workflow.write_text(text)


def run_own(name: str, repository: Path, artifacts: ArtifactService, **spec: Any) -> dict[str, Any]:
    with_this_python(repository / ".github/workflows" / name)
    result = run(
        repository,
        workflow=f".github/workflows/{name}",
        machines=True,
        nodeEnv=artifacts.environment(),
        uses=STAND_INS,
        **spec,
    )
    failed = [job for job in result["jobs"] if job["result"] == "failure"]
    assert result["ok"], "\n".join(line for job in failed for line in job["log"])
    return result


def test_the_self_test(repository: Path, artifacts: ArtifactService) -> None:
    result = run_own("self-test.yml", repository, artifacts)
    assert {job["name"]: job["result"] for job in result["jobs"]} == {
        "export": "success", "refuse": "success", "disagree": "success",
    }  # fmt: skip
    left = artifacts.artifacts["disagree"].files()
    assert {"report.html", "manifest.json"} <= set(left)
    assert not [name for name in left if name.startswith("digits/")]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_proof(
    repository: Path, artifacts: ArtifactService, releases: ReleaseService, tmp_path: Path
) -> None:
    """`gh` is a stand-in that knows what this workflow asks of it."""
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "gh_stand_in.py"} "$@"\n')
    gh.chmod(0o755)
    environ = {"PATH": f"{gh.parent}{os.pathsep}{os.environ['PATH']}"}
    github = {"token": TOKEN, "api_url": releases.url}
    result = run_own("proof.yml", repository, artifacts, baseEnv=environ, github=github)
    assert {job["result"] for job in result["jobs"]} == {"success"}
    assert releases.releases == {}
    made = [line for line in releases.log if line.startswith("POST /repos/octo/models/releases")]
    assert len(made) == 2


GH = """\
#!/bin/sh
echo "$*" >> "$LOG"
case "$*" in
  *matching-refs/tags/v0.2.*) printf 'refs/tags/%s\\n' v0.2.9 v0.2.10 v0.2.10rc1 ;;
  *matching-refs/tags/v0.*) printf 'refs/tags/%s\\n' $NEWEST v0.2.9 v0.2.10 ;;
  "release view"*|*PATCH*tags/v0.2*) exit 1 ;;
esac
"""


@pytest.mark.parametrize("newest", ["v0.1.30", "v0.3.0"])
def test_a_release_moves_the_tags_that_workflows_use(tmp_path: Path, newest: str) -> None:
    """The step as it stands, with a `gh` that knows of no release and of no tag v0.2 yet."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    (step,) = workflow["jobs"]["tags"]["steps"]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "NEWEST": newest,
        "GITHUB_REF_NAME": "v0.2.10",
        "GITHUB_REPOSITORY": "octo/models",
        "GITHUB_SHA": "c" * 40,
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environ, check=True)
    refs, sha = "repos/octo/models/git/refs", f"-f sha={'c' * 40}"
    asked = (tmp_path / "log").read_text().splitlines()
    major = [f"api --method PATCH {refs}/tags/v0 {sha} -F force=true"]
    assert [line for line in asked if "matching-refs" not in line] == [
        "release view v0.2.10 --repo octo/models",
        "release create v0.2.10 --repo octo/models --verify-tag --generate-notes",
        *(major if newest == "v0.1.30" else []),
        f"api --method PATCH {refs}/tags/v0.2 {sha} -F force=true",
        f"api {refs} -f ref=refs/tags/v0.2 {sha}",
    ]


def test_a_tag_publishes_the_version_that_the_package_has() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    (step,) = (s for s in workflow["jobs"]["build"]["steps"] if "name" in s)
    for tag, status in ((f"v{__version__}", 0), (f"v{__version__}1", 1), ("v9.9.9", 1)):
        environ = {"PATH": os.environ["PATH"], "GITHUB_REF_NAME": tag}
        run = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=ROOT, env=environ, check=False)
        assert run.returncode == status

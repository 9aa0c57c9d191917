"""The pre-commit hook, by pre-commit and prek, from a clone of this repository.

Both install the package with its base dependencies into an environment of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.github.local_runner import ROOT

BIN = Path(sys.executable).parent

GOOD = """\
version = 1

[models.digits]
entry-point = "model:build"
checkpoints = ["weights/*"]
targets     = ["saved-model"]
"""


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *author, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hooks") / "ckpt-action"
    git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
    return folder


@pytest.fixture(scope="module", params=["pre-commit", "prek"])
def tool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command, with a cache that the tests of this module share."""
    program = BIN / request.param
    if not program.exists():
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    return ["env", f"PRE_COMMIT_HOME={home}", f"PREK_HOME={home}", str(program)]


@pytest.fixture
def repository(tmp_path: Path, hooks: Path) -> Path:
    """A repository that uses the hook, with a model's code and a file that needs no reading."""
    rev = git(hooks, "rev-parse", "HEAD")
    config = f"repos:\n- repo: {hooks}\n  rev: {rev}\n  hooks:\n  - id: ckpt-action-validate\n"
    (tmp_path / ".pre-commit-config.yaml").write_text(config)
    (tmp_path / "model.py").write_text("def build():\n    raise RuntimeError('was run')\n")
    (tmp_path / "model-export.toml").write_text(GOOD)
    (tmp_path / "other.toml").write_text("version = 'not ours'\n")
    weights = tmp_path / "weights"
    weights.mkdir()
    source = ROOT / "examples" / "digits" / "runs" / "digits"
    for name in ("ckpt-40.index", "ckpt-40.data-00000-of-00001"):
        (weights / name).write_bytes((source / name).read_bytes())
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    return tmp_path


def run(tool: list[str], repository: Path, *files: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*tool, "run", *(files or ("--all-files",)), "--color=never"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    text = done.stdout + done.stderr
    if any(
        word in text for word in ("No matching distribution", "NewConnectionError", "dns error")
    ):
        pytest.skip("the package registry cannot be reached")
    return done


def test_a_right_file_passes_and_one_with_faults_is_shown_with_their_places(
    tool: list[str], repository: Path
) -> None:
    passed = run(tool, repository)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout
    assert "model-export.toml: ok (1 model, 1 target)" in passed.stdout  # and so its warnings

    config = repository / "model-export.toml"
    faults = {4: GOOD.replace(":build", ":biuld"), 6: GOOD.replace("targets ", "tragets ")}
    for line, text in faults.items():
        config.write_text(text)
        failed = run(tool, repository)
        assert failed.returncode != 0
        assert f"model-export.toml:{line}" in failed.stdout
        assert "other.toml" not in failed.stdout
        assert "Traceback" not in failed.stdout


def test_what_the_configuration_names_is_seen_without_it(tool: list[str], repository: Path) -> None:
    """A commit that touches neither the configuration nor any Python file is checked too."""
    (repository / "notes.txt").write_text("")
    passed = run(tool, repository, "--files", "notes.txt")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Skipped" not in passed.stdout

    (repository / "model.py").write_text("def make():\n    ...\n")
    renamed = run(tool, repository, "--files", "model.py")
    assert renamed.returncode != 0
    assert "`model.py` does not define `build`." in renamed.stdout

    (repository / "model.py").write_text("def build():\n    ...\n")
    (repository / "weights" / "ckpt-40.data-00000-of-00001").unlink()
    gone = run(tool, repository, "--files", "notes.txt")
    assert gone.returncode != 0
    assert "ckpt-40" in gone.stdout


def test_files_elsewhere_are_named_in_args(tool: list[str], repository: Path) -> None:
    folder = repository / "vision"
    folder.mkdir()
    for name in ("model-export.toml", "model.py", "weights"):
        (repository / name).rename(folder / name)
    lost = run(tool, repository)
    assert lost.returncode != 0
    assert "There is no such file." in lost.stdout

    config = repository / ".pre-commit-config.yaml"
    config.write_text(config.read_text() + "    args: [vision/model-export.toml]\n")
    named = run(tool, repository)
    assert named.returncode == 0, named.stdout + named.stderr

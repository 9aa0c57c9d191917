"""What people install: the wheel, built from a clone, in a fresh environment without TensorFlow."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NO_NETWORK = ("dns error", "Failed to fetch", "error sending request", "No solution found")


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv], cwd=cwd, capture_output=True, text=True, check=False
    )


def uv(*argv: str | Path, cwd: Path) -> None:
    """Needs the package registry; where that cannot be reached, nothing is shown either way."""
    program = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if program is None:
        pytest.skip("uv is not installed")
    done = run(program, *argv, cwd=cwd)
    if done.returncode and any(word in done.stderr for word in NO_NETWORK):
        pytest.skip("the package registry cannot be reached")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packaging")
    cloned = run("git", "clone", "--quiet", "--no-hardlinks", ROOT, "clone", cwd=folder)
    assert cloned.returncode == 0, cloned.stderr
    uv("build", "--quiet", "--wheel", "--out-dir", folder, folder / "clone", cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_code_and_its_data_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {"ckpt_action/report/report.css", "ckpt_action/py.typed"}
    data |= {f"ckpt_action/schema/{name}.schema.json" for name in ("model-export", "manifest")}
    assert data <= names
    for name in data:
        source = ROOT / (name if (ROOT / name).exists() else name.removeprefix("ckpt_action/"))
        assert zipfile.ZipFile(wheel).read(name) == source.read_bytes()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"ckpt_action"}
    assert not [name for name in names if "test" in name]


def test_the_installed_command_validates_without_tensorflow(wheel: Path, tmp_path: Path) -> None:
    uv("venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    uv("pip", "install", "--quiet", "--python", programs / "python", wheel, cwd=tmp_path)
    repository = tmp_path / "digits"
    shutil.copytree(ROOT / "examples" / "digits", repository)
    (repository / ".git").mkdir()

    absent = run(programs / "python", "-c", "import tensorflow", cwd=repository)
    assert "ModuleNotFoundError" in absent.stderr
    done = run(programs / "ckpt-action", "validate", cwd=repository)
    assert done.returncode == 0, done.stdout + done.stderr
    planned = run(programs / "ckpt-action", "plan", "--format", "github-matrix", cwd=repository)
    assert '"shard": "1/1"' in planned.stdout
    refused = run(programs / "ckpt-action", "export", cwd=repository)
    assert refused.returncode == 4
    assert 'pip install "ckpt-action[tensorflow]"' in refused.stderr


def test_the_metadata_says_where_the_project_lives_and_what_it_runs_on() -> None:
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} <= set(PROJECT["urls"])
    pythons = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)}
    assert pythons == {"3.10", "3.11", "3.12", "3.13"}

"""One supervisor, and one small repository with real checkpoints, for all pipeline tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ENVIRON, ckpt_action

from ckpt_action.processes.requests import Request
from ckpt_action.processes.supervisor import Supervisor

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def supervisor(tmp_path_factory):
    """One for all tests: what one child does must not matter to the next."""
    folder = tmp_path_factory.mktemp("supervisor")
    with contextlib.closing(Supervisor(jobs=2, folder=folder, environ=ENVIRON)) as supervisor:
        yield supervisor


@pytest.fixture
def ask(supervisor, tmp_path):
    """Run one function of `child_tasks` or `probe_tasks` in a child."""

    def ask(task, *, timeout=60.0, work="work", **arguments):
        name = task if ":" in task else f"child_tasks:{task}"
        request = Request(task=name, arguments=arguments, work=tmp_path / work, timeout=timeout)
        return supervisor.run("keras-3", request)

    return ask


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """`repository/` after training: code, checkpoints, golden files."""
    folder = tmp_path_factory.mktemp("trained") / "repository"
    shutil.copytree(HERE / "repository", folder)
    environ = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "train.py"], cwd=folder, env=environ, check=True)
    return folder


@pytest.fixture
def repository(trained, tmp_path):
    """A copy that the test may change."""
    return Path(shutil.copytree(trained, tmp_path / "repository"))


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A repository in which everything was exported; tests copy what they change."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("exported") / "repository"))
    run = ckpt_action("export", "--format", "json", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    (folder / "report.json").write_text(run.stdout)
    return folder

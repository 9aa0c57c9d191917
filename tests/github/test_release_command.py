"""`ckpt-action release` as a command: its arguments, its environment, its proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ckpt_action.errors import ExitCode
from tests.github import release_service
from tests.github.exported import exported
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN


@pytest.fixture
def service() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service


def command(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    argv = [sys.executable, "-m", "ckpt_action", "release", str(folder), *arguments]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**base, **environ}
    )


def test_the_command(service: ReleaseService, tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits")
    names = {"GITHUB_REPOSITORY": "octo/models", "GITHUB_API_URL": f"{service.url}/api/v3"}
    kept = ("--assets-dir", str(tmp_path / "assets"))
    done = command(folder, "--tag", "v1", *kept, GH_TOKEN=TOKEN, **names)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "published: https://github.com/octo/models/releases/tag/v1\n"
    assert TOKEN not in done.stderr
    (there,) = service.releases.values()
    assert there.files() == {f.name: f.read_bytes() for f in (tmp_path / "assets").iterdir()}
    assert there.data["target_commitish"] == "c" * 40

    assert command(folder, "--tag", "v1", **names).returncode == ExitCode.RELEASE
    nowhere = command(folder, "--tag", "v1", GH_TOKEN=TOKEN)
    assert nowhere.returncode == ExitCode.USAGE
    assert "No repository was given" in nowhere.stderr
    again = command(folder, "--tag", "v1", *kept, GH_TOKEN=TOKEN, **names)
    assert again.returncode == ExitCode.OUTPUT
    assert "is not empty" in again.stderr


def test_what_is_not_proven_is_released_if_it_is_named(
    service: ReleaseService, tmp_path: Path
) -> None:
    folder = exported(tmp_path / "dist", "digits", compared=None)
    names = {"GITHUB_REPOSITORY": "octo/models", "GITHUB_API_URL": f"{service.url}/api/v3"}
    done = command(folder, "--tag", "v1", GH_TOKEN=TOKEN, **names)
    assert done.returncode == ExitCode.RELEASE
    assert "digits is not proven" in done.stderr
    assert not service.releases
    named = ("--allow-unproven", "digits")
    done = command(folder, "--tag", "v1", *named, GH_TOKEN=TOKEN, **names)
    assert done.returncode == 0, done.stderr


def test_a_proxy_is_used(service: ReleaseService, tmp_path: Path) -> None:
    """The address does not exist: only who asks the proxy for it gets an answer."""
    names = {"GITHUB_REPOSITORY": "octo/models", "GITHUB_API_URL": "http://localhost:9"}
    proxy = {"http_proxy": service.url, "no_proxy": "127.0.0.1"}
    folder = exported(tmp_path / "dist", "digits")
    done = command(folder, "--tag", "v1", GITHUB_TOKEN=TOKEN, **names, **proxy)
    assert done.returncode == 0, done.stderr
    without = {"http_proxy": service.url, "no_proxy": "localhost,127.0.0.1"}
    program = (
        "import sys; from ckpt_action.release.transport import Transport, NoAnswerError\n"
        "try: Transport().send('GET', 'http://localhost:9/', {}, None)\n"
        "except NoAnswerError: sys.exit(7)"
    )
    asked = subprocess.run([sys.executable, "-c", program], env=without, check=False)
    assert asked.returncode == 7

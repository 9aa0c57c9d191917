"""GitHub's own command line as a second opinion: what one of us makes, the other takes as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ckpt_action.release.assets import Asset, make_assets
from ckpt_action.release.folder import read_folder
from tests.github import release_service
from tests.github.exported import exported
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN
from tests.github.releasing import contents, release


@pytest.fixture
def service() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service


@pytest.fixture
def assets(tmp_path: Path) -> tuple[Asset, ...]:
    folder = exported(tmp_path / "dist", "digits")
    (tmp_path / "assets").mkdir()
    return make_assets(folder, read_folder(folder), tmp_path / "assets")


def gh(service: ReleaseService, config: Path, *arguments: str | Path) -> None:
    """`gh` speaks plain http with a host of this name alone, and to us as its proxy."""
    program = shutil.which("gh")
    if program is None:
        pytest.skip("gh is not installed")
    environ = {
        "PATH": os.environ["PATH"],
        "GH_HOST": "github.localhost",
        "GH_TOKEN": TOKEN,
        "GH_ENTERPRISE_TOKEN": TOKEN,
        "GH_CONFIG_DIR": str(config),
        "http_proxy": service.url,
    }
    argv = [program, "release", *map(str, arguments), "--repo", "octo/models"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + "\n".join(service.log)


def test_gh_downloads_what_we_attached(
    service: ReleaseService, assets: tuple[Asset, ...], tmp_path: Path
) -> None:
    release(service, assets)
    gh(service, tmp_path / "config", "download", "v1", "--dir", tmp_path / "back")
    assert {f.name: f.read_bytes() for f in (tmp_path / "back").iterdir()} == contents(assets)


def test_what_gh_attached_is_kept(
    service: ReleaseService, assets: tuple[Asset, ...], tmp_path: Path
) -> None:
    gh(
        service,
        tmp_path / "config",
        "create",
        "v1",
        "--title",
        "by gh",
        "--notes",
        "",
        *(a.file for a in assets),
    )
    service.log.clear()
    release(service, assets)
    assert [line for line in service.log if not line.startswith("GET")] == []

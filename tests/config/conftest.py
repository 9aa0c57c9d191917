"""A user's repository that the example files belong to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The repository, as working directory."""
    folder = tmp_path / "project"
    shutil.copytree(HERE / "project", folder)
    (folder / ".git").mkdir()
    for name in ("build", "tests/golden"):
        folder.joinpath(name).mkdir(parents=True)
    folder.joinpath("build/zero_out.so").write_bytes(b"\x7fELF")
    folder.joinpath("tests/golden/captioner.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    folder.joinpath("tests/golden/pointer.npz").write_text(LFS_POINTER)
    monkeypatch.chdir(folder)
    return folder

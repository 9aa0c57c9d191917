"""What a release gets from an exported folder, and which folders it refuses."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ckpt_action.release import assets
from ckpt_action.release.assets import Asset, make_assets, size_problems
from ckpt_action.release.folder import read_folder
from ckpt_action.release.run import release
from tests.github import release_service
from tests.github.exported import exported
from tests.github.release_wire import TOKEN
from tests.github.releasing import WANTED, contents, refused


def test_the_files_of_a_release(tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits")
    assets = make_assets(folder, read_folder(folder), _new(tmp_path / "assets"))
    assert [asset.name for asset in assets] == [
        "digits-saved-model.tar.gz",
        "digits-frozen-graph.io.json",
        "digits-frozen-graph.pb",
        "manifest.json",
        "SHA256SUMS",
    ]
    folder = assets[0].file.parent
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=False
    )
    assert done.returncode == 0


def test_archives_unpack_to_the_exported_folder(tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits", "captioner@40")
    made = make_assets(folder, read_folder(folder), _new(tmp_path / "assets"))
    archives = [asset.file for asset in made if asset.name.endswith(".gz")]
    assert [file.name for file in archives] == [
        "captioner-40-saved-model.tar.gz",
        "digits-saved-model.tar.gz",
    ]
    for file in archives:
        with tarfile.open(file) as archive:
            archive.extractall(tmp_path / "back", filter="data")
    for file in (path for path in (tmp_path / "back").rglob("*") if path.is_file()):
        original = folder / file.relative_to(tmp_path / "back")
        assert file.read_bytes() == original.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o644


def test_equal_folders_give_equal_bytes(tmp_path: Path) -> None:
    made = []
    for name, time in (("one", 1_000_000_000), ("two", 1_700_000_000)):
        folder = exported(tmp_path / name, "digits")
        for file in folder.rglob("*"):
            os.utime(file, (time, time))
            file.chmod(0o700 if name == "one" else 0o755)
        made.append(
            contents(make_assets(folder, read_folder(folder), _new(tmp_path / f"{name}-a")))
        )
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0]["digits-saved-model.tar.gz"])) as archive:
        about = {(e.mtime, e.uid, e.gid, e.uname, e.gname) for e in archive}
    assert about == {(315532800, 0, 0, "", "")}
    assert gzip.decompress(made[0]["digits-saved-model.tar.gz"])


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "digits/saved-model/saved_model.pb").write_bytes(b"x"), "sha256 differs"),
        (lambda f: (f / "digits/saved-model/saved_model.pb").unlink(), "is missing"),
        (lambda f: (f / ".secret").write_text("x"), ".secret is not listed"),
        (lambda f: (f / "digits/more.txt").write_text("x"), "digits/more.txt is not listed"),
        (lambda f: (f / "SHA256SUMS").write_text(""), "SHA256SUMS does not agree"),
        (lambda f: (f / "link").symlink_to("/etc/passwd"), "link is a symbolic link"),
        (lambda f: exported(f, "digits", kept=("digits",)), "The last export of digits failed"),
        (lambda f: exported(f, "digits", failed=("b",)), "b is not here: its export failed"),
        (exported, "Nothing was exported"),
        (lambda f: exported(f, "digits", compared=None), "digits is not proven: values of saved-m"),
        (lambda f: exported(f, "digits", compared=False), "digits is not right"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_whole_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    folder = exported(tmp_path / "dist", "digits")
    spoil(folder)
    assert said in refused(lambda: read_folder(folder))


def test_what_is_not_proven_is_released_by_its_name_only(tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits", compared=None)
    assert read_folder(folder, ["digits"]).jobs
    assert "--allow-unproven digits" in refused(lambda: read_folder(folder, []))
    assert "no model other" in refused(lambda: read_folder(folder, ["digits", "other"]))
    folder = exported(tmp_path / "dist", "digits", compared=False)
    assert "is not right" in refused(lambda: read_folder(folder, ["digits"]))


def test_a_manifest_reaches_no_file_outside(tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"digits/saved-model"', '"../elsewhere"'))
    shutil.copytree(folder / "digits" / "saved-model", tmp_path / "elsewhere")
    assert "outside of the folder: ../elsewhere" in refused(lambda: read_folder(folder))


def test_names_that_meet_or_that_github_would_change_are_refused(tmp_path: Path) -> None:
    folder = exported(tmp_path / "dist", "digits@4", "digits-4", "_x")
    said = refused(lambda: make_assets(folder, read_folder(folder), _new(tmp_path / "a")))
    assert "2 files would be called digits-4-saved-model.tar.gz" in said
    assert "GitHub would rename the file '_x-saved-model.tar.gz'" in said


def test_a_file_of_two_gibibytes_is_refused() -> None:
    sizes = {2**31 - 1: 0, 2**31: 1}
    for size, problems in sizes.items():
        asset = Asset(file=Path("m.pb"), bytes=size, sha256="")
        assert len(list(size_problems([asset]))) == problems


def _hidden(folder: Path) -> None:
    (folder / ".cache").write_text("x")


@pytest.mark.parametrize(
    ("jobs", "spoil", "limits", "said"),
    [
        (("digits",), None, {"BYTES_LIMIT": 1000}, "GitHub takes less than 2 GiB"),
        (("a", "b"), None, {"COUNT_LIMIT": 7}, "There are 8 files; a release takes 7"),
        (("_x",), None, {}, "GitHub would rename the file"),
        (("digits",), _hidden, {}, ".cache is not listed"),
        ((), None, {}, "Nothing was exported"),
    ],
)
def test_what_github_would_not_take_as_it_is_is_refused_before_the_first_request(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jobs: tuple[str, ...],
    spoil: Callable[[Path], object] | None,
    limits: dict[str, int],
    said: str,
) -> None:
    folder = exported(tmp_path / "dist", *jobs)
    if spoil:
        spoil(folder)
    for name, limit in limits.items():
        monkeypatch.setattr(assets, name, limit)
    with release_service.running() as service:
        environ = {"GITHUB_API_URL": service.url, "GITHUB_TOKEN": TOKEN}

        def run() -> object:
            into = tmp_path / "assets"
            return release(folder, WANTED, into, environ=environ, say=lambda text: None)

        assert said in refused(run)
        assert service.log == []

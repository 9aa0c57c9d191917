"""`release` against a server on the loopback interface that does all that GitHub was seen to do."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3

from ckpt_action.digests import file_digest
from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.release import api as api_module
from ckpt_action.release.api import Api, Clock
from ckpt_action.release.assets import Asset, make_assets, size_problems
from ckpt_action.release.attach import attach
from ckpt_action.release.folder import read_folder
from ckpt_action.release.remote import Release
from ckpt_action.release.transport import Transport
from ckpt_action.release.wanted import Wanted
from tests.github import release_service
from tests.github.exported import exported
from tests.github.release_service import TOKEN, ReleaseService

WANTED = Wanted(repository="octo/models", tag="v1")


@dataclass
class Time:
    """Passes only while somebody sleeps."""

    seconds: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep, jitter=lambda: 0.5)


@pytest.fixture
def service() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Asset, ...]:
    folder = exported(tmp_path_factory.mktemp("exported") / "dist", "digits")
    into = tmp_path_factory.mktemp("assets")
    return make_assets(folder, read_folder(folder), into)


def client(service: ReleaseService, time: Time | None = None, **more: object) -> Api:
    time = time or Time()
    service.now = lambda: time.seconds
    return Api(
        service.url,
        TOKEN,
        transport=more.pop("transport", None) or Transport(),  # type: ignore[arg-type]
        clock=time.clock(),
        say=lambda text: None,
    )


def release(
    service: ReleaseService, assets: tuple[Asset, ...], wanted: Wanted = WANTED, **more: object
) -> Release:
    return attach(client(service, **more), wanted, assets, lambda text: None)  # type: ignore[arg-type]


def contents(assets: tuple[Asset, ...]) -> dict[str, bytes]:
    return {asset.name: asset.file.read_bytes() for asset in assets}


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(CkptActionError) as raised:
        action()
    assert {p.code for p in raised.value.problems} <= {ExitCode.RELEASE, ExitCode.VERIFY}
    return str(raised.value)


# What is attached


def test_the_files_of_a_release(assets: tuple[Asset, ...]) -> None:
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
    ],
)  # fmt: skip
def test_a_folder_that_is_not_whole_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    folder = exported(tmp_path / "dist", "digits")
    spoil(folder)
    assert said in refused(lambda: read_folder(folder))


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


# Where it is attached


def test_a_new_release_is_published_when_it_is_complete(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    made = release(service, assets)
    (there,) = service.releases.values()
    assert not there.draft
    assert not made.draft
    assert there.files() == contents(assets)
    changing = [line for line in service.log if not line.startswith("GET")]
    assert changing[0] == "POST /repos/octo/models/releases"
    assert changing[-1].startswith("PATCH /repos/octo/models/releases/")


def test_a_second_run_sends_nothing(service: ReleaseService, assets: tuple[Asset, ...]) -> None:
    release(service, assets)
    service.log.clear()
    release(service, assets)
    assert [line for line in service.log if not line.startswith("GET")] == []


def test_a_draft_stays_one_where_asked(service: ReleaseService, assets: tuple[Asset, ...]) -> None:
    wanted = Wanted(repository="octo/models", tag="v1", draft=True, prerelease=True, commit="abc")
    assert release(service, assets, wanted).draft
    (there,) = service.releases.values()
    assert there.data["prerelease"] is True
    assert there.data["target_commitish"] == "abc"
    assert not release(service, assets).draft
    assert len(service.releases) == 1


def test_a_found_draft_is_continued_and_its_text_kept(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    for number in range(250):
        service.add_release(f"v0.{number}")
    first = service.add_release("v1", notes__txt=b"notes")
    second = service.add_release("v1")
    for _ in range(150):
        service.add_release("v2")
    release(service, assets)
    assert first.files() == {**contents(assets), "notes.txt": b"notes"}
    assert (first.draft, first.data["name"]) == (False, "by hand")
    assert second.draft


def test_a_published_release_gets_what_it_lacks(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    there = service.add_release("v1", draft=False, notes__txt=b"notes")
    service.add_asset(there, assets[0].name, assets[0].file.read_bytes())
    release(service, assets)
    assert there.files() == {**contents(assets), "notes.txt": b"notes"}
    assert not [line for line in service.log if line.startswith(("PATCH", "DELETE"))]


@pytest.mark.parametrize("draft", [True, False])
@pytest.mark.parametrize("digests", [True, False])
def test_other_bytes_are_replaced_only_where_asked(
    service: ReleaseService, assets: tuple[Asset, ...], draft: bool, digests: bool
) -> None:
    service.digests = digests
    same_size = bytes(assets[0].bytes)
    there = service.add_release("v1", draft=draft, SHA256SUMS=b"of another tool")
    service.add_asset(there, assets[0].name, same_size)
    said = refused(lambda: release(service, assets))
    assert said.count("has another") == 2
    assert not [line for line in service.log if not line.startswith("GET")]
    assert len(there.files()) == 2

    kept: list[bool] = []
    new = assets[0].file.read_bytes()
    service.changed = lambda r: kept.append(bool({same_size, new} & set(r.files().values())))
    release(service, assets, Wanted(repository="octo/models", tag="v1", replace=True))
    assert there.files() == contents(assets)
    assert all(kept)


def test_an_immutable_release_is_left_as_it_is(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    service.immutable = True
    release(service, assets)
    (there,) = service.releases.values()
    assert there.immutable
    release(service, assets)  # complete: nothing to do
    del there.assets[next(iter(there.assets))]
    service.log.clear()
    assert "published and immutable" in refused(lambda: release(service, assets))
    assert not [line for line in service.log if not line.startswith("GET")]


def test_an_older_server_without_digests_is_asked_for_the_bytes(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    service.digests = False
    release(service, assets)
    assert len([line for line in service.log if line.startswith("GET /storage/")]) == len(assets)


# What the server says


@pytest.mark.parametrize(
    ("fault", "waits"),
    [("429", [30]), ("403-secondary", [60]), ("403-primary", [601]), ("502", [1])],
)
def test_waits_are_as_long_as_the_server_asks(
    service: ReleaseService, assets: tuple[Asset, ...], fault: str, waits: list[float]
) -> None:
    faults = iter([fault])
    service.fault = lambda method, route: next(faults, None)
    time = Time()
    release(service, assets, time=time)
    assert time.slept == waits


def test_an_hour_is_not_slept(service: ReleaseService, assets: tuple[Asset, ...]) -> None:
    service.limited_until = 1_000_000.0 + 3600
    time = Time()
    assert "HTTP 429" in refused(lambda: release(service, assets, time=time))
    assert time.slept == []


def test_a_server_that_stays_away_is_left(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    service.fault = lambda method, route: "drop"
    time = Time()
    assert "goes on from there" in refused(lambda: release(service, assets, time=time))
    assert time.slept == [1, 2, 4, 8, 16]


def test_silence_ends(service: ReleaseService, assets: tuple[Asset, ...]) -> None:
    """A server that takes the request and never answers."""
    held = service.lock
    held.acquire()
    quick = Transport(timeout=urllib3.Timeout(connect=5, read=0.01))
    try:
        assert "timed out" in refused(lambda: release(service, assets, transport=quick))
    finally:
        held.release()


def test_refusals_name_what_is_missing(
    service: ReleaseService, assets: tuple[Asset, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_service, "TOKEN", "another")
    said = refused(lambda: release(service, assets))
    assert "HTTP 401: Bad credentials" in said
    assert TOKEN not in said
    monkeypatch.undo()
    wanted = Wanted(repository="octo/none/such", tag="v1")
    assert "contents: write" in refused(lambda: release(service, assets, wanted))


def test_the_token_is_not_sent_in_the_clear(service: ReleaseService) -> None:
    with pytest.raises(CkptActionError, match="not https"):
        Api("http://ghe.example.org/api/v3", TOKEN, transport=Transport(), clock=Clock(), say=print)


def test_an_upload_takes_no_more_memory_than_a_part(
    service: ReleaseService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_service._Handler, "_read", _discard)
    file = tmp_path / "large.pb"
    with file.open("wb") as stream:
        stream.truncate(96 << 20)
    asset = Asset(file=file, bytes=96 << 20, sha256=file_digest(file))
    api = client(service)
    monkeypatch.setattr(api_module, "ATTEMPTS", 1)
    tracemalloc.start()
    refused(lambda: attach(api, WANTED, [asset], lambda text: None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(line.startswith("POST /uploads/") for line in service.log)
    assert peak < 16 << 20


def _discard(handler: release_service._Handler) -> bytes:
    size = int(handler.headers.get("Content-Length") or 0)
    if size < 1 << 20:
        return handler.rfile.read(size)
    digest = hashlib.sha256()
    while size and (part := handler.rfile.read(min(size, 1 << 20))):
        digest.update(part)
        size -= len(part)
    return digest.digest()


# The command


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

    assert command(folder, "--tag", "v1", **names).returncode == ExitCode.USAGE
    again = command(folder, "--tag", "v1", *kept, GH_TOKEN=TOKEN, **names)
    assert again.returncode == ExitCode.OUTPUT
    assert "is not empty" in again.stderr


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

"""`release` against a server on the loopback interface that does all that GitHub was seen to do."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from ckpt_action.digests import file_digest
from ckpt_action.errors import CkptActionError
from ckpt_action.release import api as api_module
from ckpt_action.release.api import Api, Clock
from ckpt_action.release.assets import Asset, make_assets
from ckpt_action.release.attach import attach
from ckpt_action.release.folder import read_folder
from ckpt_action.release.transport import Transport
from ckpt_action.release.wanted import Wanted
from tests.github import release_service, release_wire
from tests.github.exported import exported
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN
from tests.github.releasing import WANTED, Time, client, contents, refused, release


@pytest.fixture
def service() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Asset, ...]:
    folder = exported(tmp_path_factory.mktemp("exported") / "dist", "digits")
    into = tmp_path_factory.mktemp("assets")
    return make_assets(folder, read_folder(folder), into)


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


def test_title_and_text_are_those_of_a_release_that_is_made_here(
    service: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    wanted = replace(WANTED, name="Models of May", notes="- sharper", generate_notes=True)
    release(service, assets, wanted)
    (made,) = service.releases.values()
    assert (made.data["name"], made.data["body"]) == ("Models of May", "- sharper")
    assert made.data["generate_release_notes"]

    service.releases.clear()
    service.add_release("v1", draft=True)
    release(service, assets, wanted)
    (found,) = service.releases.values()
    assert found.data == {"tag_name": "v1", "name": "by hand"}

    service.releases.clear()
    release(service, assets)
    (plain,) = service.releases.values()
    assert (plain.data["name"], plain.data["body"]) == ("v1", "")
    assert not plain.data["generate_release_notes"]


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
    monkeypatch.setattr(release_wire, "TOKEN", "another")
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
    monkeypatch.setattr(release_wire.Wire, "_read", _discard)
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


def _discard(handler: release_wire.Wire) -> bytes:
    size = int(handler.headers.get("Content-Length") or 0)
    if size < 1 << 20:
        return handler.rfile.read(size)
    digest = hashlib.sha256()
    while size and (part := handler.rfile.read(min(size, 1 << 20))):
        digest.update(part)
        size -= len(part)
    return digest.digest()

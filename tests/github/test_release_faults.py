"""Releases over a server and a network that fail, in sequences that a seed decides.

After each run the release is complete and public, or still a draft that the next run completes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.release import attach as attach_module
from ckpt_action.release.api import Api
from ckpt_action.release.assets import Asset, make_assets
from ckpt_action.release.attach import attach
from ckpt_action.release.folder import read_folder
from ckpt_action.release.remote import Shelf
from ckpt_action.release.wanted import Wanted
from tests.github import release_service
from tests.github.exported import exported
from tests.github.release_service import Release, ReleaseService
from tests.github.release_wire import AFTER, BEFORE
from tests.github.releasing import Time, client, contents

SEEDS = range(300)
OLD = b"what was there before"
WANTED = Wanted(repository="octo/models", tag="v1", replace=True)


class WrongError(Exception):
    """A release as it may never be; no error of the kind that the client takes for an answer."""


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Asset, ...]:
    folder = exported(tmp_path_factory.mktemp("exported") / "dist", "digits")
    return make_assets(folder, read_folder(folder), tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="module")
def server() -> Iterator[ReleaseService]:
    with release_service.running() as service:
        yield service


class Sequence:
    """One seed: what lies on the server at the start, and what goes wrong from then on."""

    def __init__(self, seed: int, server: ReleaseService, assets: tuple[Asset, ...]) -> None:
        self.chance = random.Random(seed)
        self.server, self.assets, self.wrong = server, assets, list[str]()
        self.replaced = set[str]()
        server.releases.clear()
        server.log.clear()
        server.limited_until = 0.0
        server.digests = self.chance.random() < 0.8
        server.immutable = self.chance.random() < 0.3
        server.fault = lambda method, route: None
        server.changed = self._look
        self._leave_something()

    def _leave_something(self) -> None:
        if self.chance.random() < 0.4:
            return
        # What was public before may gain assets at once; immutable it could not.
        draft = self.server.immutable or self.chance.random() < 0.7
        there = self.server.add_release("v1", draft=draft, notes__txt=b"notes")
        for asset in self.assets:
            kind = self.chance.choice(("none", "same", "other", "starter", "new", "broken new"))
            content = asset.file.read_bytes()
            if kind == "same":
                self.server.add_asset(there, asset.name, content)
            if kind == "other":
                self.server.add_asset(there, asset.name, OLD)
                self.replaced.add(asset.name)
            if kind == "starter":
                self.server.add_asset(there, asset.name, b"").state = "starter"
            if kind == "new":
                self.server.add_asset(there, f"{asset.name}.new", content)
            if kind == "broken new":
                self.server.add_asset(there, f"{asset.name}.new", content[:-1])

    def _look(self, release: Release) -> None:
        """After each change: never public before it is whole, never without old and new bytes."""
        files = release.files()
        if release.data["name"] == "v1" and not release.draft and self._lacks(files):
            self.wrong.append("public and not whole")
        for asset in self.assets:
            kept = {OLD, asset.file.read_bytes()} & set(files.values())
            if asset.name in self.replaced and not kept:
                self.wrong.append(f"neither the old nor the new {asset.name}")

    def _lacks(self, files: dict[str, bytes]) -> set[str]:
        return {n for n, content in contents(self.assets).items() if files.get(n) != content}

    def fault(self, method: str, route: str) -> str | None:
        if self.chance.random() > self.rate:
            return None
        return self.chance.choice((*BEFORE, *AFTER))

    def run(self) -> str:
        """How the first run ended; every run after it meets no fault."""
        self.rate = self.chance.choice((0.05, 0.2, 0.5, 0.8))
        self.server.fault = self.fault
        ended = self.attach()
        if ended == "failed":
            self._fits_failure()
            self.server.fault = lambda method, route: None
            assert self.attach() == "done", self.server.log[-20:]
        self._is_complete()
        return ended

    def attach(self) -> str:
        time = Time(seconds=self.server.limited_until + 1_000_000)
        try:
            attach(client(self.server, time), WANTED, self.assets, lambda text: None)
        except CkptActionError as error:
            if {p.code for p in error.problems} != {ExitCode.RELEASE}:
                raise
            return "failed"
        return "done"

    def _fits_failure(self) -> None:
        for release in self.server.releases.values():
            if release.data["name"] == "v1" and not release.draft:
                assert not self._lacks(release.files())

    def _is_complete(self) -> None:
        assert self.wrong == []
        (release,) = self.server.releases.values()
        expected = contents(self.assets)
        if release.data["name"] == "by hand":
            expected["notes.txt"] = b"notes"
        assert not release.draft
        assert release.files() == expected
        assert len(release.assets) == len(expected)


def test_every_sequence_ends_well(server: ReleaseService, assets: tuple[Asset, ...]) -> None:
    ended = [Sequence(seed, server, assets).run() for seed in SEEDS]
    assert min(ended.count("done"), ended.count("failed")) > len(SEEDS) // 10


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
def test_no_run_ends_with_one_fault(
    server: ReleaseService, assets: tuple[Asset, ...], fault: str
) -> None:
    """Wherever it happens: at each request of a run, one after the other."""
    assert _ends_with_one(fault, server, assets) == []


def _ends_with_one(fault: str, server: ReleaseService, assets: tuple[Asset, ...]) -> list[int]:
    """The requests at which `fault` ends a run."""
    ended, at, happened = [], 0, True
    while happened:
        sequence = Sequence(1, server, assets)
        server.releases.clear()
        faults = iter([None] * at + [fault])
        server.fault = lambda method, route, faults=faults: next(faults, None)
        if sequence.attach() != "done":
            ended.append(at)
        happened = next(faults, None) is None and len(server.log) > at
        at += 1
    assert at > 2 * len(assets)
    return ended


def test_what_disappears_keeps_the_release_a_draft(
    server: ReleaseService, assets: tuple[Asset, ...]
) -> None:
    """All uploads were answered well, yet the list that is read last lacks one."""
    sequence = Sequence(1, server, assets)
    server.releases.clear()

    def lose(release: Release) -> None:
        if len(release.assets) == len(assets):
            del release.assets[next(iter(release.assets))]

    server.changed = lose
    assert sequence.attach() == "failed"
    assert [release.draft for release in server.releases.values()] == [True]


def _sees_sizes(self: Shelf, remote: object, asset: Asset) -> bool:
    """Broken: bytes of the same number are the same."""
    return remote.whole and remote.bytes == asset.bytes  # type: ignore[attr-defined]


def _sees_names(self: Shelf, remote: object, asset: Asset) -> bool:
    """Broken: what a broken upload left behind is taken for the file."""
    return True


def _deletes_first(shelf: Shelf, asset: Asset) -> str:
    """Broken: the old bytes go before the new ones are there."""
    there = shelf.listing().get(asset.name)
    if there and shelf.holds(there, asset):
        return ""
    if there:
        shelf.delete(there)
    shelf.upload(asset, asset.name)
    return "attached"


def _makes_blindly(api: object, repository: str, tag: str) -> None:
    """Broken: nobody looks whether the release is there already."""


def _publishes_at_once(api: Api, wanted: Wanted) -> object:
    return publish(api, wanted.repository, create(api, wanted))


create, publish = attach_module.create, attach_module.publish

SLIPS: list[tuple[object, str, Callable[..., object]]] = [
    (Shelf, "holds", _sees_sizes),
    (Shelf, "holds", _sees_names),
    (attach_module, "_advance", _deletes_first),
    (attach_module, "find", _makes_blindly),
    (attach_module, "create", _publishes_at_once),
]


@pytest.mark.parametrize(
    ("where", "name", "slip"), SLIPS, ids=[slip.__name__ for *_, slip in SLIPS]
)
def test_without_a_rule_some_sequence_ends_badly(
    server: ReleaseService,
    assets: tuple[Asset, ...],
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    name: str,
    slip: Callable[..., object],
) -> None:
    monkeypatch.setattr(where, name, slip)
    for seed in SEEDS:
        try:
            Sequence(seed, server, assets).run()
        except (AssertionError, KeyError):
            return
    pytest.fail("no sequence needs the rule")


def test_who_does_not_look_again_ends_with_one_lost_answer(
    server: ReleaseService, assets: tuple[Asset, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shelf, "forget", lambda shelf: None)
    assert _ends_with_one("lost", server, assets)

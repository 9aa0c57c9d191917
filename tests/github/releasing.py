"""What the tests of releases have in common: a client whose time passes only while it sleeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ckpt_action.errors import CkptActionError, ExitCode
from ckpt_action.release.api import Api, Clock
from ckpt_action.release.assets import Asset
from ckpt_action.release.attach import attach
from ckpt_action.release.remote import Release
from ckpt_action.release.transport import Transport
from ckpt_action.release.wanted import Wanted
from tests.github.release_service import ReleaseService
from tests.github.release_wire import TOKEN

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

"""The part of GitHub's API that releases need, on the loopback interface, with faults on demand.

Behaviour is from docs.github.com ("REST API endpoints for releases", "... release assets", "Rate
limits for the REST API") and from threads of people who met the rest of it. A request that names a
whole address is answered too, so that a client may take the service for its proxy.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

from tests.github.release_wire import Reply, Wire, refusal


@dataclass
class Asset:
    number: int
    name: str
    content: bytes
    sha256: str
    state: str = "uploaded"


@dataclass
class Release:
    number: int
    repository: str
    data: dict[str, Any]
    draft: bool
    immutable: bool = False
    assets: dict[int, Asset] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Whole assets by name."""
        whole = [asset for asset in self.assets.values() if asset.state == "uploaded"]
        return {asset.name: asset.content for asset in whole}


class ReleaseService(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.releases: dict[int, Release] = {}
        self.digests = True
        """Older servers tell no digest."""
        self.immutable = False
        """The repository's setting."""
        self.now: Callable[[], float] = lambda: 0.0
        self.fault: Callable[[str, str], str | None] = lambda method, route: None
        self.changed: Callable[[Release], None] = lambda release: None
        """Called after each change."""
        self.log: list[str] = []
        self.limited_until = 0.0
        self.lock = threading.RLock()
        self._last = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def number(self) -> int:
        self._last += 1
        return self._last

    def add_release(self, tag: str = "v1", *, draft: bool = True, **files: bytes) -> Release:
        """As somebody else left it; `files` by name, with `__` for a period."""
        data = {"tag_name": tag, "name": "by hand"}
        release = Release(self.number(), "octo/models", data, draft)
        self.releases[release.number] = release
        for name, content in files.items():
            self.add_asset(release, name.replace("__", "."), content)
        return release

    def add_asset(self, release: Release, name: str, content: bytes) -> Asset:
        asset = Asset(self.number(), name, content, hashlib.sha256(content).hexdigest())
        release.assets[asset.number] = asset
        return asset

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error of ours."""


@contextmanager
def running() -> Iterator[ReleaseService]:
    with ReleaseService() as service:
        threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True).start()
        yield service
        service.shutdown()


class _Handler(Wire):
    routes = tuple(
        (method, re.compile(pattern), name)
        for method, pattern, name in (
            ("POST", r"/graphql", "no_draft"),
            ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/releases", "list_releases"),
            ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/releases", "create"),
            ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/releases/tags/(?P<tag>.+)", "by_tag"),
            ("GET", r"/repos/[^/]+/[^/]+/releases/(?P<id>\d+)", "show"),
            ("PATCH", r"/repos/[^/]+/[^/]+/releases/(?P<id>\d+)", "edit"),
            ("DELETE", r"/repos/[^/]+/[^/]+/releases/(?P<id>\d+)", "remove"),
            ("GET", r"/repos/[^/]+/[^/]+/releases/(?P<id>\d+)/assets", "list_assets"),
            ("POST", r"/uploads/repos/[^/]+/[^/]+/releases/(?P<id>\d+)/assets", "upload"),
            ("GET", r"/repos/[^/]+/[^/]+/releases/assets/(?P<id>\d+)", "download"),
            ("PATCH", r"/repos/[^/]+/[^/]+/releases/assets/(?P<id>\d+)", "rename"),
            ("DELETE", r"/repos/[^/]+/[^/]+/releases/assets/(?P<id>\d+)", "delete"),
        )
    )

    def no_draft(self) -> Reply:
        """`gh` looks for drafts this way."""
        return Reply(200, {"data": {"repository": {"release": None}}})

    def list_releases(self, repo: str) -> Reply:
        mine = [r for r in self.server.releases.values() if r.repository == repo]
        return Reply(200, self._page([self._shown(r) for r in reversed(mine)]))

    def create(self, repo: str) -> Reply:
        data = json.loads(self.body)
        draft = data.get("draft", False)
        taken = {r.data["tag_name"] for r in self.server.releases.values() if not r.draft}
        if not draft and data["tag_name"] in taken:
            return refusal(422, "Validation Failed", code="already_exists", field="tag_name")
        release = Release(self.server.number(), repo, data, draft)
        self.server.releases[release.number] = release
        self.server.changed(release)
        return Reply(201, self._shown(release))

    def by_tag(self, repo: str, tag: str) -> Reply:
        for release in self.server.releases.values():
            if (release.repository, release.data["tag_name"]) == (repo, tag) and not release.draft:
                return Reply(200, self._shown(release))
        return refusal(404, "Not Found")

    def show(self, id: int) -> Reply:
        return Reply(200, self._shown(self._release(id)))

    def edit(self, id: int) -> Reply:
        release, data = self._release(id), json.loads(self.body)
        if release.immutable:
            return refusal(422, "tag_name cannot be changed when release is immutable")
        release.draft = data.pop("draft", release.draft)
        release.data |= data
        release.immutable = self.server.immutable and not release.draft
        self.server.changed(release)
        return Reply(200, self._shown(release))

    def remove(self, id: int) -> Reply:
        del self.server.releases[self._release(id).number]
        return Reply(204)

    def list_assets(self, id: int) -> Reply:
        assets = self._release(id).assets.values()
        return Reply(200, self._page([self._shown_asset(asset) for asset in assets]))

    def upload(self, id: int) -> Reply:
        release = self._release(id)
        name = re.sub(r"[^A-Za-z0-9._-]+", ".", self.query["name"]).strip(".")
        self._may_change(release, name)
        asset = self.server.add_asset(release, name, self.body)
        self.server.changed(release)
        return Reply(201, self._shown_asset(asset))

    def download(self, id: int) -> Reply:
        if self.headers["Accept"] != "application/octet-stream":
            return Reply(200, self._shown_asset(self._asset(id)[1]))
        other = self.server.url.replace("127.0.0.1", "localhost")
        return Reply(302, None, {"Location": f"{other}/storage/{id}"})

    def rename(self, id: int) -> Reply:
        release, asset = self._asset(id)
        name = json.loads(self.body)["name"]
        self._may_change(release, name)
        asset.name = name
        self.server.changed(release)
        return Reply(200, self._shown_asset(asset))

    def delete(self, id: int) -> Reply:
        release, asset = self._asset(id)
        self._may_change(release, "")
        del release.assets[asset.number]
        self.server.changed(release)
        return Reply(204)

    def _may_change(self, release: Release, name: str) -> None:
        if release.immutable:
            raise refusal(422, "Cannot upload assets to an immutable release.")
        if name in {asset.name for asset in release.assets.values()}:
            raise refusal(422, "Validation Failed", code="already_exists", field="name")

    def _release(self, number: int) -> Release:
        if number not in self.server.releases:
            raise refusal(404, "Not Found")
        return self.server.releases[number]

    def _asset(self, number: int) -> tuple[Release, Asset]:
        for release in self.server.releases.values():
            if number in release.assets:
                return release, release.assets[number]
        raise refusal(404, "Not Found")

    def _page(self, items: list[Any]) -> list[Any]:
        size, number = int(self.query.get("per_page", 30)), int(self.query.get("page", 1))
        return items[size * (number - 1) : size * number]

    def _shown(self, release: Release) -> dict[str, Any]:
        base = f"{self.server.url}/uploads/repos/{release.repository}/releases/{release.number}"
        tag = release.data["tag_name"]
        return {
            "prerelease": False,
            "name": None,
            "body": None,
            "target_commitish": "main",
            **release.data,
            "id": release.number,
            "draft": release.draft,
            "immutable": release.immutable,
            "url": base.replace("/uploads/", "/"),
            "upload_url": f"{base}/assets{{?name,label}}",
            "html_url": f"https://github.com/{release.repository}/releases/tag/{tag}",
            "assets": [
                self._shown_asset(a) for a in release.assets.values() if a.state == "uploaded"
            ],
        }

    def _shown_asset(self, asset: Asset) -> dict[str, Any]:
        shown = {"id": asset.number, "name": asset.name, "state": asset.state}
        shown["url"] = f"{self.server.url}/repos/octo/models/releases/assets/{asset.number}"
        shown["size"] = len(asset.content)
        if self.server.digests:
            whole = asset.state == "uploaded"
            shown["digest"] = f"sha256:{asset.sha256}" if whole else None
        return shown

"""One release on the server: finding it, making it, and what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ckpt_action.release.api import Api, RequestError
from ckpt_action.release.assets import Asset
from ckpt_action.release.wanted import Wanted

_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Release:
    number: int
    tag: str
    draft: bool
    immutable: bool
    """Published in a repository whose releases cannot be changed."""
    upload_url: str
    page: str
    """Where people see it."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One asset as the server has it."""

    number: int
    name: str
    whole: bool
    """False for what a broken upload leaves behind: it has a name and no content."""
    bytes: int
    digest: str | None
    """`sha256:...`; servers of an older version have none."""


def find(api: Api, repository: str, tag: str) -> Release | None:
    """The published release of `tag`; else its draft, of several the one made first."""
    base = f"/repos/{repository}/releases"
    try:
        return _release(api.request("GET", f"{base}/tags/{quote(tag, safe='')}"))
    except RequestError as error:
        if error.status != 404:
            raise
    # No draft has a tag of its own yet; they are in the list alone.
    releases = [_release(data) for data in _pages(api, base)]
    drafts = [release for release in releases if release.tag == tag and release.draft]
    return min(drafts, key=lambda draft: draft.number, default=None)


def create(api: Api, wanted: Wanted) -> Release:
    """A new draft."""
    data = {
        "tag_name": wanted.tag,
        "name": wanted.name or wanted.tag,
        "body": wanted.notes,
        "generate_release_notes": wanted.generate_notes,
        "draft": True,
        "prerelease": wanted.prerelease,
    }
    if wanted.commit:
        data["target_commitish"] = wanted.commit
    return _release(api.request("POST", f"/repos/{wanted.repository}/releases", data=data))


class Shelf:
    """The assets of one release. What is known of them is kept until a request goes wrong."""

    def __init__(self, api: Api, repository: str, release: Release) -> None:
        self._api, self._release = api, release
        self._base = f"/repos/{repository}/releases"
        self._known: dict[str, Remote] | None = None
        self._downloaded: dict[int, str] = {}

    def listing(self) -> dict[str, Remote]:
        """By name; broken uploads are among them."""
        if self._known is None:
            pages = _pages(self._api, f"{self._base}/{self._release.number}/assets")
            found = [_remote(data) for data in pages]
            self._known = {remote.name: remote for remote in found}
        return self._known

    def forget(self) -> None:
        """Look again before the next step."""
        self._known = None

    def holds(self, remote: Remote, asset: Asset) -> bool:
        """Whether `remote` has the bytes of `asset`; downloads them where no digest is given."""
        if not remote.whole or remote.bytes != asset.bytes:
            return False
        digest = remote.digest or self._digest_of_download(remote)
        return digest == f"sha256:{asset.sha256}"

    def upload(self, asset: Asset, name: str) -> None:
        url = self._release.upload_url
        query = {"name": name}
        found = _remote(self._api.request("POST", url, file=asset.file, query=query))
        if found.name != name:
            raise RequestError(f"GitHub has renamed {name} to {found.name}")
        self.listing()[name] = found
        if not self.holds(found, asset):
            raise RequestError(f"{name} has arrived with other bytes", passing=True)

    def delete(self, remote: Remote) -> None:
        try:
            self._api.request("DELETE", f"{self._base}/assets/{remote.number}")
        except RequestError as error:
            if error.status != 404:
                raise
        del self.listing()[remote.name]

    def rename(self, remote: Remote, name: str) -> None:
        path = f"{self._base}/assets/{remote.number}"
        renamed = _remote(self._api.request("PATCH", path, data={"name": name}))
        del self.listing()[remote.name]
        self.listing()[renamed.name] = renamed

    def _digest_of_download(self, remote: Remote) -> str:
        if remote.number not in self._downloaded:
            digest = hashlib.sha256()
            for part in self._api.download(f"{self._base}/assets/{remote.number}"):
                digest.update(part)
            self._downloaded[remote.number] = f"sha256:{digest.hexdigest()}"
        return self._downloaded[remote.number]


def publish(api: Api, repository: str, release: Release) -> Release:
    """Make a draft public; returns it as it is then."""
    path = f"/repos/{repository}/releases/{release.number}"
    seen = _release(api.request("GET", path))
    return _release(api.request("PATCH", path, data={"draft": False})) if seen.draft else seen


def _pages(api: Api, path: str) -> Iterator[Any]:
    number = 1
    while page := api.request("GET", path, query={"per_page": _PAGE, "page": number}):
        with _expected_form():
            yield from page
        if len(page) < _PAGE:
            return
        number += 1


def _release(data: Any) -> Release:
    with _expected_form():
        return Release(
            number=data["id"],
            tag=data["tag_name"],
            draft=data["draft"],
            immutable=bool(data.get("immutable")),
            upload_url=data["upload_url"].partition("{")[0],
            page=data["html_url"],
        )


def _remote(data: Any) -> Remote:
    with _expected_form():
        return Remote(
            number=data["id"],
            name=data["name"],
            whole=data["state"] == "uploaded",
            bytes=data["size"],
            digest=data.get("digest"),
        )


@contextmanager
def _expected_form() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        message = f"the answer is not what GitHub's API would say ({error})"
        raise RequestError(message, passing=True) from error

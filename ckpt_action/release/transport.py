"""HTTP for the release: one request, streamed, through the proxy that the environment names."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

CHUNK = 1 << 20
_TIMEOUT = urllib3.Timeout(connect=30, read=120)
"""Seconds; `read` is the silence between two parts of an answer, not the whole of it."""

_REDIRECTS = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)


class NoAnswerError(Exception):
    """The request may or may not have been carried out: the connection broke."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names are found in any spelling."""
    body: bytes


class Transport:
    """Sends each request once; whether to send it again is for the caller to know."""

    def __init__(self, timeout: urllib3.Timeout = _TIMEOUT) -> None:
        self._timeout = timeout
        self._pools: dict[str, urllib3.PoolManager] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | BinaryIO | None
    ) -> Answer:
        """A file as `body` is read in parts; `headers` then say its Content-Length."""
        with _broken_off():
            response = self._pool(url).request(
                method, url, headers=headers, body=body, redirect=False, retries=False
            )
        return Answer(status=response.status, headers=response.headers, body=response.data)

    def download(self, url: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        """What lies at `url`, in parts. A redirect to another host does not take the token along.

        Raises NoAnswerError for everything but the content.
        """
        with _broken_off():
            response = self._pool(url).request(
                "GET",
                url,
                headers=headers,
                preload_content=False,
                retries=_REDIRECTS,
            )
            if response.status != 200:
                response.release_conn()
                raise NoAnswerError(f"HTTP {response.status}")
            yield from response.stream(CHUNK)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """urllib3 leaves it to its users to read `https_proxy` and `no_proxy`."""
        parts = urlsplit(url)
        bypassed = bool(parts.hostname and urllib.request.proxy_bypass(parts.hostname))
        proxy = "" if bypassed else urllib.request.getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            self._pools[proxy] = self._new_pool(proxy)
        return self._pools[proxy]

    def _new_pool(self, proxy: str) -> urllib3.PoolManager:
        if not proxy:
            return urllib3.PoolManager(timeout=self._timeout, blocksize=CHUNK)
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        login = None
        if address.username:
            secret = f"{address.username}:{address.password or ''}"
            login = urllib3.make_headers(proxy_basic_auth=unquote(secret))
        return urllib3.ProxyManager(
            f"{address.scheme}://{address.netloc.rpartition('@')[2]}",
            proxy_headers=login,
            timeout=self._timeout,
            blocksize=CHUNK,
        )


@contextmanager
def _broken_off() -> Iterator[None]:
    try:
        yield
    except (HTTPError, OSError) as error:
        raise NoAnswerError(str(error)) from error

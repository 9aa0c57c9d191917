"""GitHub's REST API: what its answers mean, and when to ask again.

Rules for waiting: docs.github.com, "Rate limits for the REST API".
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from ckpt_action.errors import ExitCode, fail
from ckpt_action.release.transport import Answer, NoAnswerError, Transport

Result = TypeVar("Result")

ATTEMPTS = 6
"""Of one step, without any progress between them."""
LONGEST_WAIT = 900.0
"""Seconds. GitHub may ask for up to an hour; a job that sleeps so long helps nobody."""
_UNSAID_WAIT = 60.0
"""Seconds, where a rate limit comes without a word on how long it lasts."""
_PASSING = {408, 429, 500, 502, 503, 504}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_JSON = "application/vnd.github+json"
_BYTES = "application/octet-stream"


class RequestError(Exception):
    """A request that did not do what it should."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        passing: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """None: no answer came."""
        self.passing = passing
        """Whether asking again can help, once it is known what the first request did."""
        self.wait = wait
        """Seconds that GitHub asks to wait."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time, as the tests replace it."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class Api:
    """One server, one token. Paths are relative to `base`; a whole address is taken as it is."""

    def __init__(
        self,
        base: str,
        token: str,
        *,
        transport: Transport,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise fail(
                ExitCode.USAGE,
                f"The API address {base!r} is not https, and the token is not sent in the clear.",
                hint="Correct GITHUB_API_URL.",
            )
        self._base = base.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": "ckpt-action",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._transport, self._clock, self._say = transport, clock, say

    def request(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, object] | None = None,
        file: Path | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Any:
        """The answer's JSON, None where it has none. Sent once; raises RequestError."""
        url = self._url(path) + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Accept": _JSON}
        try:
            if file is not None:
                headers |= {"Content-Type": _BYTES, "Content-Length": str(file.stat().st_size)}
                with file.open("rb") as content:
                    answer = self._transport.send(method, url, headers, content)
            else:
                body = None if data is None else json.dumps(data).encode()
                answer = self._transport.send(method, url, headers, body)
        except NoAnswerError as error:
            message = f"{method} {urlsplit(url).path}: {error}"
            raise RequestError(message, passing=True) from error
        return _content(answer, f"{method} {urlsplit(url).path}", self._clock.now())

    def download(self, path: str) -> Iterator[bytes]:
        """The bytes of an asset, in parts."""
        headers = {**self._headers, "Accept": _BYTES}
        try:
            yield from self._transport.download(self._url(path), headers)
        except NoAnswerError as error:
            raise RequestError(f"GET {path}: {error}", passing=True) from error

    def persistently(self, step: Callable[[], Result]) -> Result:
        """What `step` returns, done again where asking again can help.

        A lost answer says nothing about what became of its request, so a step looks first and acts
        on what it sees.
        """
        for failures in range(1, ATTEMPTS):
            try:
                return step()
            except RequestError as error:
                wait = error.wait
                if wait is None:
                    wait = 2.0 ** (failures - 1) * (0.75 + self._clock.jitter() / 2)
                if not error.passing or wait > LONGEST_WAIT:
                    raise
                self._say(f"{error}; again in {wait:.0f} s")
                self._clock.sleep(wait)
        return step()

    def _url(self, path: str) -> str:
        return path if "://" in path else self._base + path


def _content(answer: Answer, what: str, now: float) -> Any:
    try:
        content = json.loads(answer.body) if answer.body else None
    except ValueError:
        content = None
    if answer.status < 300:
        if answer.body and content is None:
            raise RequestError(f"{what}: the answer cannot be read", passing=True)
        return content
    said = content if isinstance(content, dict) else {}
    errors = [error for error in said.get("errors") or () if isinstance(error, dict)]
    reasons = [str(e.get("message") or f"{e.get('field')} {e.get('code')}") for e in errors]
    message = "; ".join([str(said.get("message") or "no reason given"), *reasons])
    limited = _is_limit(answer, message)
    # Somebody, perhaps a request of ours whose answer was lost, was first: look again.
    overtaken = any(error.get("code") == "already_exists" for error in errors)
    raise RequestError(
        f"{what}: HTTP {answer.status}: {message}",
        status=answer.status,
        passing=limited or overtaken or answer.status in _PASSING,
        wait=_wait(answer, now, limited=limited),
    )


def _is_limit(answer: Answer, message: str) -> bool:
    exhausted = answer.headers.get("x-ratelimit-remaining") == "0"
    named = "Retry-After" in answer.headers or "rate limit" in message.lower()
    return answer.status in {403, 429} and (exhausted or named)


def _wait(answer: Answer, now: float, *, limited: bool) -> float | None:
    after, reset = (
        answer.headers.get("Retry-After", ""),
        answer.headers.get("x-ratelimit-reset", ""),
    )
    if after.isdecimal():
        return float(after)
    if not limited:
        return None
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(0.0, float(reset) - now) + 1
    return _UNSAID_WAIT

"""How the loopback GitHub API hears and answers, and every way in which it can fail to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from tests.github.release_service import ReleaseService

TOKEN = "ghs_the-token"
BEFORE = ("502", "drop", "drop-half", "starter", "429", "403-secondary", "403-primary")
"""Faults of which the request has no effect, or only half of one."""
AFTER = ("lost", "cut", "late-500", "dribble", "corrupt")
"""Faults of a request that was carried out."""


@dataclass
class Reply(Exception):
    status: int
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, message: str, **error: str) -> Reply:
    return Reply(status, {"message": message, "errors": [error] if error else []})


class Wire(BaseHTTPRequestHandler):
    """Finds the method that carries a request out, and lets faults happen before or after it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ReleaseService
    routes: ClassVar[tuple[tuple[str, re.Pattern[str], str], ...]]
    _asset: Any

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""

    def answer(self) -> None:
        url = urlsplit(self.path)
        route = re.sub(r"^/api/(v3|uploads)(?=/)", lambda m: m[1].replace("v3", ""), url.path)
        self.query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        fault = self.server.fault(self.command, route)
        self.server.log.append(f"{self.command} {route}" + (f" ({fault})" if fault else ""))
        if fault in {"drop", "drop-half"}:
            size = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(size // 2 if fault == "drop-half" else 0)
            self.close_connection = True
            return
        self.body = self._read()
        if fault == "corrupt" and self.body:
            self.body = self.body[:-1] + bytes([self.body[-1] ^ 1])
        with self.server.lock:
            reply = self._before(fault, route) or self._carry_out(route)
        self._after(fault, reply)

    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = answer

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _before(self, fault: str | None, route: str) -> Reply | None:
        service = self.server
        if fault == "starter" and route.endswith("/assets") and self.command == "POST":
            release = service.releases[int(route.split("/")[-2])]
            if self.query["name"] not in {a.name for a in release.assets.values()}:
                service.add_asset(release, self.query["name"], b"").state = "starter"
        if fault in {"502", "starter"}:
            return Reply(502, "<html>Unicorn!</html>")
        waits = {"429": 30, "403-secondary": 60, "403-primary": 600}
        if fault in waits:
            service.limited_until = service.now() + waits[fault]
        if service.now() >= service.limited_until:
            return None
        if fault == "429" or fault not in waits:
            left = f"{service.limited_until - service.now():.0f}"
            return Reply(429, {"message": "Slow down"}, {"Retry-After": left})
        if fault == "403-primary":
            reset = f"{service.limited_until:.0f}"
            limits = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
            return Reply(403, {"message": "API quota exhausted"}, limits)
        return Reply(403, {"message": "You have exceeded a secondary rate limit."})

    def _carry_out(self, route: str) -> Reply:
        if route.startswith("/storage/"):
            # The command line gives its token to every local host; to others it does not.
            if self.headers.get("Authorization") and not self.headers["User-Agent"].startswith(
                "GitHub"
            ):
                return refusal(400, "Only one authentication mechanism is allowed")
            asset = self._asset(int(route.rsplit("/", 1)[-1]))[1]
            return Reply(200, asset.content)
        if self.headers.get("Authorization", "").split(" ")[-1] != TOKEN:
            return refusal(401, "Bad credentials")
        for method, pattern, name in self.routes:
            if method == self.command.replace("HEAD", "GET") and (
                found := pattern.fullmatch(route)
            ):
                given = {
                    k: int(v) if k == "id" else unquote(v) for k, v in found.groupdict().items()
                }
                try:
                    return getattr(self, name)(**given)  # type: ignore[no-any-return]
                except Reply as reply:
                    return reply
        return refusal(404, "Not Found")

    def _after(self, fault: str | None, reply: Reply) -> None:
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "late-500":
            reply = refusal(500, "Server Error")
        content = reply.data
        if not isinstance(content, bytes):
            content = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        if reply.status == 204 or self.command == "HEAD":
            content = b""
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif fault == "dribble":
            for at in range(0, len(content), 97):
                self.wfile.write(content[at : at + 97])
                self.wfile.flush()
        else:
            self.wfile.write(content)

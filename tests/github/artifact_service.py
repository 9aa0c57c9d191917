"""The part of GitHub's artifact service that its client talks to, on the loopback interface.

Twirp in JSON (`github.actions.results.api.v1.ArtifactService`) and block blobs as Azure has them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import threading
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Artifact:
    number: int
    request: dict[str, object]
    blocks: dict[str, bytes] = field(default_factory=dict)
    content: bytes = b""
    final: bool = False

    def files(self) -> dict[str, bytes]:
        """What the archive holds, by path."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


class ArtifactService(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.artifacts: dict[str, Artifact] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What the runner hands to JavaScript actions."""
        claims = {"scp": f"Actions.Results:{uuid.uuid4()}:{uuid.uuid4()}"}
        parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        return {"ACTIONS_RUNTIME_TOKEN": f"{token}.x", "ACTIONS_RESULTS_URL": f"{self.url}/"}


@contextmanager
def running() -> Iterator[ArtifactService]:
    with ArtifactService() as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield service
        service.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ArtifactService

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""

    def do_POST(self) -> None:
        body = json.loads(self._body())
        method = self.path.rsplit("/", 1)[-1]
        if not self.headers.get("Authorization", "").startswith("Bearer "):
            self._reply(401, {"code": "unauthenticated", "msg": "no token"})
        elif method == "CreateArtifact":
            self._create(body)
        elif method == "FinalizeArtifact":
            self._finalize(body)
        elif method == "ListArtifacts":
            self._list(body)
        elif method == "GetSignedArtifactURL":
            artifact = self.server.artifacts[str(body["name"])]
            self._reply(200, {"name": body["name"], "signed_url": self._url(artifact)})
        else:
            self._reply(404, {"code": "bad_route", "msg": method})

    def _create(self, body: dict[str, object]) -> None:
        name = str(body["name"])
        if name in self.server.artifacts:
            self._reply(409, {"code": "already_exists", "msg": f"{name} exists in this run"})
            return
        artifact = Artifact(len(self.server.artifacts) + 1, body)
        self.server.artifacts[name] = artifact
        self._reply(200, {"ok": True, "signed_upload_url": self._url(artifact)})

    def _url(self, artifact: Artifact) -> str:
        return f"{self.server.url}/devstoreaccount1/artifacts/{artifact.number}?sig=the-signature"

    def _list(self, body: dict[str, object]) -> None:
        found = [
            {
                **artifact.request,
                "workflow_run_backend_id": body["workflow_run_backend_id"],
                "workflow_job_run_backend_id": body["workflow_job_run_backend_id"],
                "database_id": str(artifact.number),
                "size": str(len(artifact.content)),
            }
            for name, artifact in self.server.artifacts.items()
            if artifact.final
            and name == body.get("name_filter", name)
            and str(artifact.number) == str(body.get("id_filter", artifact.number))
        ]
        self._reply(200, {"artifacts": found})

    def do_GET(self) -> None:
        number = int(urlsplit(self.path).path.rsplit("/", 1)[-1])
        (content,) = (a.content for a in self.server.artifacts.values() if a.number == number)
        self.send_response(200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _finalize(self, body: dict[str, object]) -> None:
        artifact = self.server.artifacts[str(body["name"])]
        digest = "sha256:" + hashlib.sha256(artifact.content).hexdigest()
        if body.get("hash") not in (None, digest):
            self._reply(400, {"code": "invalid_argument", "msg": "the digest differs"})
            return
        artifact.final = True
        self._reply(200, {"ok": True, "artifact_id": str(artifact.number)})

    def do_PUT(self) -> None:
        body, url = self._body(), urlsplit(self.path)
        number, query = int(url.path.rsplit("/", 1)[-1]), parse_qs(url.query)
        (artifact,) = (a for a in self.server.artifacts.values() if a.number == number)
        if query.get("comp") == ["block"]:
            artifact.blocks[query["blockid"][0]] = body
        elif query.get("comp") == ["blocklist"]:
            order = re.findall(rb"<(?:Latest|Uncommitted)>(.*?)<", body)
            artifact.content = b"".join(artifact.blocks[block.decode()] for block in order)
        else:
            artifact.content = body
        self._reply(201, {}, **{"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _reply(self, status: int, data: dict[str, object], **headers: str) -> None:
        body = json.dumps(data).encode() if data else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

"""Releases from behind a proxy that asks for a login, over TLS all the way to the server."""

from __future__ import annotations

import base64
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ckpt_action.release.transport import NoAnswerError, Transport

LOGIN = "Basic " + base64.b64encode(b"octo:p@ss word").decode()


class Proxy(socketserver.ThreadingTCPServer):
    """Opens tunnels, and remembers what was asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Tunnel(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split()
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        pairs = [line.partition(": ") for line in lines]
        headers = {name.lower(): value for name, _, value in pairs}
        self.server.asked.append((f"{method} {target}", headers))
        if headers.get("proxy-authorization") != LOGIN:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(upstream, self.connection), daemon=True)
            back.start()
            _pump(self.connection, upstream)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        """One side has gone; the other is told by its own end."""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"there")

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    with server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address of https that this process trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key)]
    subprocess.run([openssl, *made, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = HTTPServer(("127.0.0.1", 0), _Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"https://localhost:{server.server_address[1]}/"


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_login_opens_the_tunnel_and_goes_no_further(
    site: str, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    proxy = Proxy()
    monkeypatch.setenv("no_proxy", "")
    with serving(proxy):
        address = f"127.0.0.1:{proxy.server_address[1]}"
        monkeypatch.setenv("https_proxy", f"{scheme}octo:p%40ss%20word@{address}")
        answer = Transport().send("GET", site, {"Authorization": "Bearer ghs_1"}, None)
        assert (answer.status, answer.body) == (200, b"there")
        asked = f"CONNECT {site.removeprefix('https://').strip('/')}"
        ((line, headers),) = proxy.asked
        assert (line, headers["proxy-authorization"]) == (asked, LOGIN)
        assert "authorization" not in headers

        monkeypatch.setenv("https_proxy", f"{scheme}{address}")
        with pytest.raises(NoAnswerError, match="407"):
            Transport().send("GET", site, {}, None)

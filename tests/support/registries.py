"""Registries on loopback for tests: Debian's docker-registry, and a stub that says what it is told to."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.e2e.registry import CertificateAuthority, Login
from tests.e2e.service import Service
from tests.support.tools import require


@contextmanager
def real_registry(
    directory: Path, login: Login | None, authority: CertificateAuthority | None
) -> Iterator[str]:
    """Run docker-registry and yield its name, ``localhost:<port>``; without an authority it has no TLS."""
    require("htpasswd", "apache2-utils")
    require("openssl", "openssl")
    directory.mkdir(parents=True)
    port = free_port()
    http: dict[str, object] = {"addr": f"127.0.0.1:{port}", "secret": "of one registry"}
    if authority:
        certificate, key = authority.issue("localhost")
        http["tls"] = {"certificate": str(certificate), "key": str(key)}
    settings: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": http,
    }
    if login:
        passwords = directory / "htpasswd"
        passwords.write_text(login.htpasswd())
        settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
    configuration = directory / "config.json"
    configuration.write_text(json.dumps(settings))  # the registry reads YAML, and JSON is YAML
    serve = [require("docker-registry", "docker-registry"), "serve", str(configuration)]
    with Service(serve, ready="listening on"):
        yield f"localhost:{port}"


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True)
class Asked:
    """One request to the stub; of a form its fields are the query."""

    path: str
    query: Mapping[str, list[str]]
    authorization: str
    method: str = "GET"

    @property
    def basic(self) -> str:
        """The username and password in it; empty when there are none."""
        scheme, _, encoded = self.authorization.partition(" ")
        return base64.b64decode(encoded).decode() if scheme == "Basic" else ""


@dataclass(frozen=True)
class Reply:
    """What the stub answers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Stub:
    """An imitation of a registry, and of its token service, while its block lasts.

    Args:
        answer: Makes the answer to each request.
        context: For TLS; None for plain HTTP.

    Attributes:
        asked: Every request so far.
    """

    def __init__(self, answer: Callable[[Asked], Reply], context: ssl.SSLContext | None = None) -> None:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                fields = parse_qs(form or address.query)
                header = self.headers.get("Authorization") or ""
                asked = Asked(address.path, fields, header, self.command)
                stub.asked.append(asked)
                reply = answer(asked)
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(b"" if self.command == "HEAD" else reply.body)
                except ConnectionError:
                    self.close_connection = True  # the client has read enough

            do_HEAD = do_GET  # noqa: N815
            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def host(self) -> str:
        """Its name and port."""
        return f"localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def tls_context(authority: CertificateAuthority) -> ssl.SSLContext:
    """Return the server's side of TLS for ``localhost``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost"))
    return context

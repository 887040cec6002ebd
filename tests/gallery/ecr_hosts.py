"""Amazon's registries on this machine, as clients reach them: by name and HTTPS, through a proxy."""

import ssl
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from credhelpers.emulator import Emulator, Request
from tests.e2e.registry import CertificateAuthority
from tests.integration.doctor import Patient


class EcrHosts:
    """A proxy that leads to an emulator whatever the host, while its block lasts.

    Args:
        aws: Answers for the registries.
        directory: For the certificates.
        hosts: The registries' names.
    """

    def __init__(self, aws: Emulator, directory: Path, hosts: Sequence[str]) -> None:
        directory.mkdir()
        authority = CertificateAuthority(directory)
        self._authority = authority.certificate
        self._hosts = hosts
        contexts = {host: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for host in hosts}
        for host, context in contexts.items():
            context.load_cert_chain(*authority.issue(host))
        self._server = _Proxy(aws, contexts)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reached_by(self, user: Patient) -> Patient:
        """Return a user whose machine reaches the registries, and trusts their certificates."""
        for host in self._hosts:
            for program in ("docker", "containers"):
                folder = user.home / ".config" / program / "certs.d" / host
                folder.mkdir(parents=True)
                (folder / "ca.crt").write_bytes(self._authority.read_bytes())
        return user.but(HTTPS_PROXY=f"http://127.0.0.1:{self._server.server_address[1]}").online


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, aws: Emulator, contexts: Mapping[str, ssl.SSLContext]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.aws = aws
        self.contexts = contexts


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def do_CONNECT(self) -> None:
        context = self.server.contexts.get(self.path.partition(":")[0])
        if context is None:
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except OSError:
            self.close_connection = True  # the client does not trust it
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.close_connection = False

    def do_GET(self) -> None:
        headers = {name.title(): value for name, value in self.headers.items()}
        response = self.server.aws.receive(Request(self.command, self.path, headers, b""))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body if self.command != "HEAD" else b"")
        self.wfile.flush()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

"""A stand-in for dockerd on loopback that only keeps what the real docker client sends it for a pull."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.tools import require

_FIELDS = ("username", "password", "identitytoken")  # an auth is there only if the client could not read it


@dataclass
class RecordingDaemon:
    """What runs `docker pull` against itself.

    Attributes:
        port: Where it listens.
        sent: The credential of each request that came with one.
    """

    port: int = 0
    sent: list[dict[str, str]] = field(default_factory=list)

    def credential_for(self, server: str, env: dict[str, str]) -> dict[str, str]:
        """Return what the docker client sends for a pull from a registry."""
        self.sent.clear()
        docker = require("docker", "docker.io")
        command = [docker, "--host", f"tcp://127.0.0.1:{self.port}", "pull", "--quiet", f"{server}/app:1"]
        subprocess.run(command, env=env, capture_output=True, timeout=60, check=True)
        assert self.sent
        return {name: value for name, value in self.sent[-1].items() if value and name in _FIELDS}


@contextmanager
def recording_daemon() -> Iterator[RecordingDaemon]:
    """Run one for as long as the block lasts."""
    daemon = RecordingDaemon()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            header = self.headers.get("X-Registry-Auth")
            if header:
                daemon.sent.append(json.loads(base64.urlsafe_b64decode(header + "==")))
            self.send_response(200)
            self.send_header("Api-Version", "1.45")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            """Keep the output of the tests free of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        daemon.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield daemon
        finally:
            server.shutdown()
            thread.join()


def write_config(env: dict[str, str], content: str) -> Path:
    """Write a user's config.json."""
    path = Path(env["HOME"], ".docker", "config.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path

"""Real clients of docker-credential-keyring: docker-py, the docker command line and skopeo log in and out."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from docker.credentials import CredentialsNotFound, Store

from tests.support.client import Helper
from tests.support.keyring import SecretService
from tests.support.tools import require

USERNAME, PASSWORD = "alice", "s3cret-canary"
HUB = "https://index.docker.io/v1/"


class _Registry(BaseHTTPRequestHandler):
    """The part of a registry that a login asks: who comes with the right password may enter."""

    def do_GET(self) -> None:
        expected = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        allowed = self.headers.get("Authorization") == f"Basic {expected}"
        self.send_response(200 if allowed else 401)
        if not allowed:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry on the loopback, by its host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def environment(installed: Path, secret_service_env: dict[str, str]) -> dict[str, str]:
    return {**secret_service_env, "PATH": f"{installed}:{secret_service_env['PATH']}"}


@pytest.fixture
def helper(installed: Path, environment: dict[str, str]) -> Helper:
    return Helper(installed / "docker-credential-keyring", environment)


@pytest.fixture
def docker_py(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PATH", environment["PATH"])  # where docker-py looks for the helper
    return Store("keyring", environment=environment)


@contextmanager
def config(path: Path, content: Mapping[str, object]) -> Iterator[Path]:
    """Write a client's configuration, and see afterwards that it holds no secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    yield path
    written = path.read_text()
    assert PASSWORD not in written
    assert base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode() not in written


def run(
    command: list[str], environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=dict(environment), input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def test_docker_py_stores_gets_lists_and_erases(docker_py: Any) -> None:
    docker_py.store(HUB, USERNAME, PASSWORD)
    assert docker_py.get(HUB) == {"ServerURL": HUB, "Username": USERNAME, "Secret": PASSWORD}
    assert docker_py.list() == {HUB: USERNAME}
    docker_py.erase(HUB)
    assert docker_py.list() == {}
    docker_py.erase(HUB)
    with pytest.raises(CredentialsNotFound):
        docker_py.get(HUB)


def test_docker_py_keeps_an_identity_token(docker_py: Any) -> None:
    docker_py.store("registry.example", "<token>", PASSWORD)
    assert docker_py.get("registry.example")["Username"] == "<token>"


@pytest.mark.parametrize("choice", ["credsStore", "credHelpers"])
def test_docker_logs_in_and_out(
    registry: str, environment: dict[str, str], helper: Helper, secret_service: SecretService, choice: str
) -> None:
    docker = require("docker", "docker.io")
    chosen = {"credsStore": "keyring"} if choice == "credsStore" else {"credHelpers": {registry: "keyring"}}
    with config(Path(environment["HOME"], ".docker", "config.json"), chosen):
        login = run([docker, "login", "-u", USERNAME, "--password-stdin", registry], environment, PASSWORD)
        assert "Login Succeeded" in login.stdout, login.stderr
        assert helper.get(registry).credentials().secret == PASSWORD
        logout = run([docker, "logout", registry], environment)
        assert (logout.returncode, logout.stderr) == (0, "")
        assert secret_service.items() == []


def test_docker_logs_out_of_an_unknown_server(environment: dict[str, str], helper: Helper) -> None:
    docker = require("docker", "docker.io")
    helper.store("other.example", USERNAME, PASSWORD)
    with config(Path(environment["HOME"], ".docker", "config.json"), {"credsStore": "keyring"}):
        logout = run([docker, "logout", "never.example"], environment)
        assert (logout.returncode, logout.stderr) == (0, "")
        assert helper.stored() == {"other.example": USERNAME}


def test_skopeo_logs_in_and_out(
    registry: str, environment: dict[str, str], helper: Helper, secret_service: SecretService, tmp_path: Path
) -> None:
    skopeo = require("skopeo", "skopeo")
    with config(tmp_path / "auth.json", {"credHelpers": {registry: "keyring"}}) as file:
        common = ["--authfile", str(file), registry]
        flags = ["--tls-verify=false", "-u", USERNAME, "--password-stdin"]
        login = run([skopeo, "login", *flags, *common], environment, PASSWORD)
        assert login.returncode == 0, login.stderr
        assert helper.get(registry).credentials().secret == PASSWORD
        again = run([skopeo, "login", "--get-login", *common], environment)
        assert again.stdout.strip() == USERNAME, again.stderr
        logout = run([skopeo, "logout", *common], environment)
        assert logout.returncode == 0, logout.stderr
        assert secret_service.items() == []

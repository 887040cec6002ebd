"""docker login and logout with a credentials store: the password is there and in no file of the user's."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.docker import Docker
from tests.e2e.registry import Login, Registry
from tests.support.client import Helper
from tests.support.tools import require


@dataclass(frozen=True)
class CredentialsStore:
    """What ``credsStore`` names, and what its helper says is in it."""

    name: str
    helper: Helper

    def contents(self) -> dict[str, str]:
        return self.helper.stored()


@pytest.fixture(params=["pass", "keyring"])
def credentials_store(
    request: pytest.FixtureRequest, environment: dict[str, str], installed: Path
) -> CredentialsStore:
    """An empty store that the user's docker is able to reach."""
    name: str = request.param
    fixtures = {"pass": "password_store_env", "keyring": "secret_service_env"}
    reach: dict[str, str] = request.getfixturevalue(fixtures[name])
    environment.update({**reach, "PATH": environment["PATH"]})
    return CredentialsStore(name, Helper(installed / f"docker-credential-{name}", environment))


@pytest.fixture
def private_login(private_registry: Registry) -> Login:
    assert private_registry.login is not None
    return private_registry.login


def log_in(docker: Docker, registry: Registry, login: Login) -> None:
    docker.succeed(
        "login", "-u", login.username, "--password-stdin", registry.host, stdin=login.password.encode()
    )


def files_that_tell(login: Login, home: Path) -> list[Path]:
    """The files below ``home`` in which the password can be read, as it is or in base64."""
    plain = login.password.encode()
    readable = [plain, login.encoded().encode(), base64.b64encode(plain)]
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files
    return [file for file in files if any(form in file.read_bytes() for form in readable)]


def test_push_and_pull_work_until_the_logout(
    docker: Docker,
    credentials_store: CredentialsStore,
    private_registry: Registry,
    private_login: Login,
    image: str,
) -> None:
    docker.configure({"credsStore": credentials_store.name})
    name = f"{private_registry.host}/{image}"

    log_in(docker, private_registry, private_login)
    assert credentials_store.contents() == {private_registry.host: private_login.username}
    docker.import_image(name)
    docker.succeed("push", name)
    docker.forget(name)
    docker.succeed("pull", name)
    docker.forget(name)

    docker.succeed("logout", private_registry.host)
    assert credentials_store.contents() == {}
    pull = docker("pull", name)
    assert pull.returncode == 1
    assert "no basic auth credentials" in pull.stderr
    assert not docker.has(name)


def test_no_file_keeps_a_secret(
    docker: Docker, credentials_store: CredentialsStore, private_registry: Registry, private_login: Login
) -> None:
    docker.configure({"credsStore": credentials_store.name})
    home = Path(docker.environment["HOME"])

    log_in(docker, private_registry, private_login)
    assert json.loads(docker.config_file.read_bytes()) == {
        "auths": {private_registry.host: {}},
        "credsStore": credentials_store.name,
    }
    assert files_that_tell(private_login, home) == []

    docker.succeed("logout", private_registry.host)
    assert private_registry.host not in docker.config_file.read_text()
    assert files_that_tell(private_login, home) == []


def test_without_a_store_config_json_keeps_it(
    docker: Docker, private_registry: Registry, private_login: Login
) -> None:
    # An entry of another server is what keeps docker from looking for a store by itself.
    docker.configure({"auths": {"elsewhere.example.test": {"auth": "dTpw"}}})

    log_in(docker, private_registry, private_login)

    assert files_that_tell(private_login, Path(docker.environment["HOME"])) == [docker.config_file]


def test_a_refused_login_stores_nothing(
    docker: Docker, credentials_store: CredentialsStore, private_registry: Registry, private_login: Login
) -> None:
    docker.configure({"credsStore": credentials_store.name})

    login = docker(
        "login", "-u", private_login.username, "--password-stdin", private_registry.host, stdin=b"a wrong one"
    )

    assert login.returncode == 1
    assert "unauthorized" in login.stderr.lower()
    assert credentials_store.contents() == {}


def test_a_logout_without_a_login_is_silent(
    docker: Docker, credentials_store: CredentialsStore, private_registry: Registry
) -> None:
    docker.configure({"credsStore": credentials_store.name})

    logout = docker("logout", private_registry.host)

    assert logout.returncode == 0
    assert logout.stderr == ""


def test_a_logout_leaves_the_other_servers_alone(
    docker: Docker, credentials_store: CredentialsStore, private_registry: Registry, private_login: Login
) -> None:
    docker.configure({"credsStore": credentials_store.name})
    other = "other.example.test"
    assert credentials_store.helper.store(other, "somebody", "some secret").code == 0
    log_in(docker, private_registry, private_login)

    docker.succeed("logout", private_registry.host)

    assert credentials_store.contents() == {other: "somebody"}


def test_docker_takes_pass_by_itself(
    docker: Docker,
    password_store_env: dict[str, str],
    environment: dict[str, str],
    installed: Path,
    private_registry: Registry,
    private_login: Login,
) -> None:
    require("pass", "pass")
    environment.update({**password_store_env, "PATH": environment["PATH"]})

    log_in(docker, private_registry, private_login)

    assert json.loads(docker.config_file.read_bytes())["credsStore"] == "pass"
    stored = Helper(installed / "docker-credential-pass", environment).stored()
    assert stored == {private_registry.host: private_login.username}

"""No pull fails while `credhelpers setup` works: docker pulls before and after each of its steps."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.docker import Docker, Program
from tests.e2e.namespace import Namespace
from tests.e2e.registry import Registry
from tests.support.client import Helper
from tests.support.keyring import SecretService
from tests.support.paced import LookUps, run_paced
from tests.support.tools import require

_REFERENCE = "golang-docker-credential-helpers"


@pytest.fixture
def environment(environment: dict[str, str], installed: Path) -> Iterator[dict[str, str]]:
    """A user on whose PATH the system's programs come before ours, and who has no key."""
    with tempfile.TemporaryDirectory(prefix="ch-setup-", dir="/tmp") as home:
        environment |= {"PATH": f"/usr/bin:/bin:{installed}", "GNUPGHOME": f"{home}/gnupg"}
        yield environment
        if Path(home, "gnupg").exists():
            gpgconf = [require("gpgconf", "gpgconf"), "--homedir", f"{home}/gnupg", "--kill", "all"]
            subprocess.run(gpgconf, check=False, timeout=30)


@pytest.fixture
def docker(namespace: Namespace, environment: dict[str, str]) -> Docker:
    """Debian's docker CLI of that user."""
    return Docker(namespace, require("docker", "docker.io"), environment)


def set_up(docker: Docker, namespace: Namespace, image: str, *arguments: str) -> tuple[str, LookUps]:
    """Run setup while docker pulls an image; return what it says, and the pulls."""

    def pull() -> str:
        done = docker("pull", image)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    assert not pull(), "it works before"
    done, pulls = run_paced(["setup", "--yes", *arguments], docker.environment, pull, namespace.join)
    assert pulls.failed == []
    assert done.returncode == 0, done.stdout + done.stderr
    assert not pull(), "it works afterwards"
    assert pulls.total > 20
    return done.stdout, pulls


def test_from_plain_text(
    docker: Docker,
    skopeo: Program,
    namespace: Namespace,
    private_registry: Registry,
    privately_published: str,
) -> None:
    login = private_registry.login
    assert login
    docker.configure({"auths": {private_registry.host: {"auth": login.encoded()}}})
    assert skopeo("inspect", f"docker://{privately_published}").returncode == 0, "it reads Docker's file"

    said, pulls = set_up(docker, namespace, privately_published, "--headless")

    assert pulls.made.keys() >= {"store", "copy", "podman", "docker"}
    assert "make a password store" in said
    assert json.loads(docker.config_file.read_text()) == {
        "auths": {private_registry.host: {}},
        "credsStore": "auto",
    }
    assert skopeo("inspect", f"docker://{privately_published}").returncode == 0


def test_skopeo_finds_its_login_at_each_step(
    docker: Docker,
    skopeo: Program,
    namespace: Namespace,
    private_registry: Registry,
    privately_published: str,
) -> None:
    login = private_registry.login
    assert login
    docker.configure({"auths": {private_registry.host: {"auth": login.encoded()}}})

    def inspect() -> str:
        done = skopeo("inspect", f"docker://{privately_published}")
        return "" if done.returncode == 0 else done.stderr

    done, looks = run_paced(["setup", "--yes", "--headless"], docker.environment, inspect, namespace.join)

    assert done.returncode == 0, done.stdout + done.stderr
    assert looks.failed == []
    assert looks.made.keys() >= {"store", "copy", "podman", "docker"}


def test_from_dockers_own_pass(
    docker: Docker,
    environment: dict[str, str],
    password_store_env: dict[str, str],
    namespace: Namespace,
    private_registry: Registry,
    privately_published: str,
) -> None:
    environment |= {**password_store_env, "PATH": environment["PATH"]}
    reference = Helper(Path(require("docker-credential-pass", _REFERENCE)), docker.environment)
    _log_in(docker, private_registry, reference, "pass")

    _, pulls = set_up(docker, namespace, privately_published)

    assert pulls.made.keys() >= {"store", "copy", "docker"}
    assert json.loads(docker.config_file.read_text())["credsStore"] == "auto"
    assert reference.get(private_registry.host).found


def test_from_the_secret_service_to_the_keyring(
    docker: Docker,
    environment: dict[str, str],
    secret_service: SecretService,
    namespace: Namespace,
    private_registry: Registry,
    privately_published: str,
) -> None:
    environment |= secret_service.env
    reference = Helper(Path(require("docker-credential-secretservice", _REFERENCE)), docker.environment)
    _log_in(docker, private_registry, reference, "secretservice")

    _, pulls = set_up(docker, namespace, privately_published)

    assert pulls.made.keys() >= {"store", "copy", "docker"}
    assert json.loads(docker.config_file.read_text())["credsStore"] == "auto"
    assert len(secret_service.items()) == 1, "both helpers have one entry"


def test_from_the_secret_service_to_a_password_store(
    docker: Docker,
    environment: dict[str, str],
    secret_service: SecretService,
    installed: Path,
    namespace: Namespace,
    private_registry: Registry,
    privately_published: str,
) -> None:
    environment |= secret_service.env
    reference = Helper(Path(require("docker-credential-secretservice", _REFERENCE)), docker.environment)
    _log_in(docker, private_registry, reference, "secretservice")

    _, pulls = set_up(docker, namespace, privately_published, "--headless")

    assert pulls.made.keys() >= {"store", "copy", "docker"}
    assert Helper(installed / "docker-credential-pass", docker.environment).get(private_registry.host).found
    assert reference.get(private_registry.host).found, "what the old helper has stays"


def test_from_nothing(
    docker: Docker,
    namespace: Namespace,
    publicly_published: str,
    private_registry: Registry,
    privately_published: str,
) -> None:
    _, pulls = set_up(docker, namespace, publicly_published, "--headless")

    assert pulls.made.keys() >= {"store", "docker"}
    login = private_registry.login
    assert login
    secret = login.password.encode()
    docker.succeed("login", "-u", login.username, "--password-stdin", private_registry.host, stdin=secret)
    docker.succeed("pull", privately_published)
    assert login.encoded() not in docker.config_file.read_text()


def _log_in(docker: Docker, registry: Registry, helper: Helper, name: str) -> None:
    docker.configure({"credsStore": name})
    assert registry.login
    secret = registry.login.password.encode()
    docker.succeed("login", "-u", registry.login.username, "--password-stdin", registry.host, stdin=secret)
    assert helper.get(registry.host).found

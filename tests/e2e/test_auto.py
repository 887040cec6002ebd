"""One credentials store for all registries: ECR's, one with a login, and one that is open to anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.e2e.docker import Docker
from tests.e2e.registry import Registry
from tests.support.client import Helper

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def configured(docker: Docker, password_store_env: dict[str, str], environment: dict[str, str]) -> None:
    """A user with an initialised password store whose docker knows nothing but auto."""
    environment.update({**password_store_env, "PATH": environment["PATH"]})
    docker.configure({"credsStore": "auto"})


def test_one_store_serves_three_registries(
    docker: Docker,
    aws: Emulator,
    private_registry: Registry,
    installed: Path,
    published: str,
    privately_published: str,
    publicly_published: str,
) -> None:
    login = private_registry.login
    assert login is not None
    docker.succeed(
        "login",
        "-u",
        login.username,
        "--password-stdin",
        private_registry.host,
        stdin=login.password.encode(),
    )

    for image in (published, privately_published, publicly_published):
        docker.succeed("pull", image)
        assert docker.has(image)

    assert aws.calls["GetAuthorizationToken"] == 1
    assert json.loads(docker.config_file.read_bytes())["credsStore"] == "auto"
    stored = Helper(installed / "docker-credential-pass", docker.environment).stored()
    assert stored == {private_registry.host: login.username}


def test_only_the_private_registry_needs_a_login(
    docker: Docker, aws: Emulator, published: str, privately_published: str, publicly_published: str
) -> None:
    assert docker("pull", privately_published).returncode == 1
    for image in (published, publicly_published):
        docker.succeed("pull", image)
    assert aws.calls["GetAuthorizationToken"] == 1

"""A registry that lets in anybody stays open to those who use a helper."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.docker import Docker
from tests.e2e.registry import Registry


def test_a_store_without_a_credential(
    docker: Docker, password_store_env: dict[str, str], environment: dict[str, str], publicly_published: str
) -> None:
    environment.update({**password_store_env, "PATH": environment["PATH"]})
    docker.configure({"credsStore": "pass"})

    docker.succeed("pull", publicly_published)

    assert docker.has(publicly_published)


def test_a_helper_without_the_registry(
    docker: Docker, public_registry: Registry, publicly_published: str
) -> None:
    docker.configure({"credHelpers": {public_registry.host: "ecr-login"}})

    docker.succeed("pull", publicly_published)

    assert docker.has(publicly_published)
    assert not Path(docker.environment["HOME"], ".ecr/tokens").exists()

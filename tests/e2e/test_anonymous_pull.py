"""A registry that lets in anybody stays open to those who use a helper."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.docker import Docker
from tests.e2e.registry import Registry


def test_a_store_without_a_credential_does_not_stand_in_the_way(
    docker: Docker, password_store_env: dict[str, str], environment: dict[str, str], publicly_published: str
) -> None:
    environment.update({**password_store_env, "PATH": environment["PATH"]})
    docker.configure({"credsStore": "pass"})

    docker.succeed("pull", publicly_published)

    assert docker.has(publicly_published)


def test_a_helper_that_does_not_know_the_registry_does_not_stand_in_the_way(
    docker: Docker, public_registry: Registry, publicly_published: str
) -> None:
    docker.configure({"credHelpers": {public_registry.host: "ecr-login"}})

    docker.succeed("pull", publicly_published)

    assert docker.has(publicly_published)
    assert not Path(docker.environment["HOME"], ".ecr/tokens").exists()

"""A pull as a role that the instance's role assumes, beside a registry that lets in anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credhelpers.emulator import Emulator
from tests.e2e.docker import Docker
from tests.e2e.namespace import Namespace
from tests.e2e.registry import Registry
from tests.support.aws import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/pull"


class _TemporaryKeys(set[str]):
    """The keys that moto's STS gives out, which nobody but moto knows beforehand."""

    def __contains__(self, key: object) -> bool:
        return str(key).startswith("ASIA")


@pytest.fixture
def sts(namespace: Namespace, environment: dict[str, str], aws: Emulator) -> Iterator[None]:
    """Moto's STS, on whose keys ECR relies; the instance's own role comes from the metadata service."""
    aws.access_key_ids = _TemporaryKeys(aws.access_key_ids)
    with namespace.network():
        server = moto_server()
        environment["AWS_ENDPOINT_URL_STS"] = server.__enter__()
    yield
    server.__exit__(None, None, None)


@pytest.mark.usefixtures("sts")
def test_an_assumed_role_pulls(
    docker: Docker, ecr_registry: Registry, aws: Emulator, published: str, publicly_published: str
) -> None:
    config = Path(docker.environment["HOME"], ".config/credhelpers/config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(f'[[ecr.registry]]\nmatch = "{ecr_registry.host}"\nrole_arn = "{ROLE}"\n')
    docker.configure({"credsStore": "ecr-login"})

    docker.succeed("pull", published)
    docker.succeed("pull", publicly_published)

    assert docker.has(published)
    assert docker.has(publicly_published)
    assert aws.calls["imds"] > 0
    (request,) = [request for request in aws.requests if request.operation == "GetAuthorizationToken"]
    assert request.scope[0] not in set(aws.access_key_ids), "the instance's own keys signed"

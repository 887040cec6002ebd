"""The rig: registries, dockerd, AWS and a user whose Docker knows nothing but a credential helper."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.e2e.aws import emulated_aws
from tests.e2e.docker import Docker, DockerDaemon, Program
from tests.e2e.namespace import Namespace
from tests.e2e.registry import CertificateAuthority, Login, Registry
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credhelpers.emulator import Emulator

ECR_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
PRIVATE_HOST = "registry.example.test"
PUBLIC_HOST = "public.example.test"

DEBIANS_DOCKER = "/usr/bin/docker"
ANOTHER_DOCKER = "/usr/local/bin/docker"  # where people put a newer CLI by hand


def docker_executables() -> list[str]:
    """Debian's CLI always, so that its absence is noticed, and a newer one where there is one."""
    return [DEBIANS_DOCKER, *filter(os.path.exists, [ANOTHER_DOCKER])]


def fail_or_skip(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A directory near the root, because the path of a Unix socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="e2e-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def namespace(scratch: Path) -> Iterator[Namespace]:
    yield from a_namespace(scratch, [ECR_HOST, PRIVATE_HOST, PUBLIC_HOST])


def a_namespace(scratch: Path, hosts: list[str]) -> Iterator[Namespace]:
    """Open a namespace with these names, or skip the test that asks for one."""
    if os.geteuid() != 0:
        fail_or_skip("a private mount and network namespace and dockerd need root")
    for command in ("unshare", "nsenter", "setpriv"):
        require(command, "util-linux")
    require("ip", "iproute2")
    if subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0:
        fail_or_skip("not even root may make a mount and network namespace here")
    with Namespace(scratch / "namespace", hosts) as namespace:
        yield namespace


@pytest.fixture(scope="session")
def authority(scratch: Path) -> CertificateAuthority:
    require("openssl", "openssl")
    directory = scratch / "certificates"
    directory.mkdir()
    return CertificateAuthority(directory)


class OpenRegistry(Protocol):
    """Starts a registry that ends with the test run."""

    def __call__(self, host: str, login: Login | None) -> Registry: ...


@pytest.fixture(scope="session")
def open_registry(
    namespace: Namespace, authority: CertificateAuthority, scratch: Path
) -> Iterator[OpenRegistry]:
    require("docker-registry", "docker-registry")
    require("htpasswd", "apache2-utils")
    with ExitStack() as stack:

        def open_registry(host: str, login: Login | None) -> Registry:
            registry = Registry(namespace, authority, scratch / host, host=host, login=login)
            return stack.enter_context(registry)

        yield open_registry


@pytest.fixture(scope="session")
def ecr_registry(open_registry: OpenRegistry) -> Registry:
    """What stands for Amazon's registry: it lets in nobody but who brings the password that AWS gave."""
    return open_registry(ECR_HOST, Login("AWS", secrets.token_hex(32)))


@pytest.fixture(scope="session")
def private_registry(open_registry: OpenRegistry) -> Registry:
    """A registry of one's own, with one user."""
    return open_registry(PRIVATE_HOST, Login("robot", secrets.token_urlsafe(32)))


@pytest.fixture(scope="session")
def public_registry(open_registry: OpenRegistry) -> Registry:
    """A registry that lets in anybody."""
    return open_registry(PUBLIC_HOST, None)


@pytest.fixture(scope="session")
def daemon(namespace: Namespace, scratch: Path) -> Iterator[DockerDaemon]:
    require("dockerd", "docker.io")
    directory = scratch / "dockerd"
    directory.mkdir()
    with DockerDaemon(namespace, directory) as daemon:
        yield daemon


@pytest.fixture
def environment(private_env: dict[str, str], installed: Path, daemon: DockerDaemon) -> dict[str, str]:
    """A user with our helpers on PATH, to whom the rig's dockerd is the daemon."""
    return private_env | {
        "PATH": f"{installed}:{private_env['PATH']}",
        "DOCKER_CONFIG": f"{private_env['HOME']}/.docker",
        "DOCKER_HOST": daemon.host,
    }


@pytest.fixture(params=docker_executables())
def docker(request: pytest.FixtureRequest, namespace: Namespace, environment: dict[str, str]) -> Docker:
    """The docker CLI of that user."""
    executable: str = request.param
    if executable == DEBIANS_DOCKER:
        require("docker", "docker.io")
    return Docker(namespace, executable, environment)


@pytest.fixture
def skopeo(namespace: Namespace, environment: dict[str, str]) -> Program:
    """The skopeo of that user."""
    return Program(namespace, require("skopeo", "skopeo"), environment)


@pytest.fixture
def aws(namespace: Namespace, ecr_registry: Registry, environment: dict[str, str]) -> Iterator[Emulator]:
    """AWS as the user's machine, an EC2 instance with a role, sees it."""
    assert ecr_registry.login is not None
    with emulated_aws(namespace, ecr_registry.login.password) as aws:
        environment.update(aws.environment())
        yield aws


@pytest.fixture
def image(request: pytest.FixtureRequest) -> str:
    """A repository and tag, without a host, that no other test uses."""
    return f"team/{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]}:1"


@pytest.fixture(scope="session")
def publisher(namespace: Namespace, daemon: DockerDaemon, scratch: Path) -> Docker:
    """Somebody who brings images into registries the old way, with the password in config.json."""
    require("docker", "docker.io")
    environment = {
        "HOME": str(scratch),
        "PATH": "/usr/bin:/bin",
        "DOCKER_CONFIG": str(scratch / "publisher"),
        "DOCKER_HOST": daemon.host,
    }
    return Docker(namespace, DEBIANS_DOCKER, environment)


@pytest.fixture
def published(publisher: Docker, ecr_registry: Registry, image: str) -> str:
    """An image that is in ``ecr_registry`` and nowhere else."""
    return publish(publisher, ecr_registry, image)


@pytest.fixture
def privately_published(publisher: Docker, private_registry: Registry, image: str) -> str:
    """An image that is in ``private_registry`` and nowhere else."""
    return publish(publisher, private_registry, image)


@pytest.fixture
def publicly_published(publisher: Docker, public_registry: Registry, image: str) -> str:
    """An image that is in ``public_registry`` and nowhere else."""
    return publish(publisher, public_registry, image)


def publish(publisher: Docker, registry: Registry, image: str) -> str:
    name = f"{registry.host}/{image}"
    login = registry.login
    publisher.configure({"auths": {registry.host: {"auth": login.encoded()}} if login else {}})
    publisher.import_image(name)
    publisher.succeed("push", name)
    publisher.forget(name)
    return name

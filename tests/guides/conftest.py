"""What the guides find: registries, AWS, a Docker Hub, and a machine for each page."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.e2e import conftest as rig
from tests.e2e.aws import emulated_aws
from tests.e2e.docker import Docker
from tests.e2e.namespace import Namespace
from tests.e2e.registry import CertificateAuthority, Login, Registry
from tests.guides.machine import Machine
from tests.support.tools import SYSTEM_PATH, require

# The same fixtures as those of tests/e2e.
authority, daemon, open_registry, publisher, scratch = (
    rig.authority, rig.daemon, rig.open_registry, rig.publisher, rig.scratch
)  # fmt: skip

ACCOUNTS = ("123456789012", "210987654321")
ECR_HOSTS = tuple(f"{account}.dkr.ecr.eu-central-1.amazonaws.com" for account in ACCOUNTS)
PRIVATE_HOST = "registry.example.test"
HUB_HOST = "registry-1.docker.io"
NEW_HOST = "images.example.test"
"""Where nothing listens: the reader's first registry."""
IMAGES = {
    ECR_HOSTS[0]: ["team/app:1", "docker-hub/ada/app:1"],
    ECR_HOSTS[1]: ["team/app:1"],
    PRIVATE_HOST: ["team/app:1"],
    HUB_HOST: ["ada/app:1"],
}


@pytest.fixture(scope="session")
def namespace(scratch: Path) -> Iterator[Namespace]:
    hosts = [*ECR_HOSTS, PRIVATE_HOST, HUB_HOST, NEW_HOST]
    yield from rig.a_namespace(scratch, hosts)


@pytest.fixture(scope="session")
def aws_password() -> str:
    return secrets.token_hex(32)


@pytest.fixture(scope="session")
def robot() -> Login:
    return Login("robot", secrets.token_urlsafe(32))


@pytest.fixture(scope="session")
def hub_user() -> Login:
    return Login("ada", f"dckr_pat_{secrets.token_urlsafe(20)}")


@pytest.fixture(scope="session")
def registries(
    open_registry: rig.OpenRegistry, publisher: Docker, aws_password: str, robot: Login, hub_user: Login
) -> dict[str, Registry]:
    """Two accounts' ECR, a registry of one's own, and what stands for Docker Hub: each has an image."""
    logins = {
        **dict.fromkeys(ECR_HOSTS, Login("AWS", aws_password)),
        PRIVATE_HOST: robot,
        HUB_HOST: hub_user,
    }
    opened = {host: open_registry(host, login) for host, login in logins.items()}
    for host, registry in opened.items():
        for image in IMAGES[host]:
            rig.publish(publisher, registry, image)
    return opened


@pytest.fixture
def aws(namespace: Namespace, aws_password: str) -> Iterator[Emulator]:
    """AWS as an EC2 instance with a role sees it."""
    with emulated_aws(namespace, aws_password) as aws:
        yield aws


@pytest.fixture
def machine(
    namespace: Namespace,
    authority: CertificateAuthority,
    registries: dict[str, Registry],
    installed: Path,
    aws: Emulator,
    robot: Login,
    hub_user: Login,
) -> Iterator[Machine]:
    """The reader's machine; the passwords are in files, as they come out of a password manager."""
    for command, package in (("nginx", "nginx-light"), ("podman", "podman"), ("buildah", "buildah")):
        require(command, package)
    environment = {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **aws.environment()}
    with (
        tempfile.TemporaryDirectory(prefix="guide-", dir="/tmp") as directory,
        Machine(namespace, Path(directory), authority.certificate, installed, environment) as machine,
    ):
        machine.write("~/password.txt", robot.password)
        machine.write("~/token.txt", hub_user.password)
        yield machine

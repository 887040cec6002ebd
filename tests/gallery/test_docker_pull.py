"""A real `docker pull` from ECR that fails by AWS's side, and works when the remedy has been carried out.

dockerd, docker, the registry with certificate and password, and the helpers are real; AWS is the emulator.
"""

from pathlib import Path

import pytest

from credhelpers.emulator import Emulator, imds
from tests.e2e.conftest import (
    DEBIANS_DOCKER,
    ECR_HOST,
    authority,
    aws,
    daemon,
    ecr_registry,
    environment,
    image,
    namespace,
    open_registry,
    published,
    publisher,
    scratch,
)
from tests.e2e.docker import Docker
from tests.e2e.namespace import Namespace
from tests.gallery.aws_cli import install_aws
from tests.gallery.exhibit import Exhibit, Works
from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root, wrapped

__all__ = [
    "authority",
    "aws",
    "daemon",
    "ecr_registry",
    "environment",
    "image",
    "namespace",
    "open_registry",
    "published",
    "publisher",
    "scratch",
]

pytestmark = needs_root


@pytest.fixture
def worker(
    namespace: Namespace, installed: Path, environment: dict[str, str], aws: Emulator, tmp_path: Path
) -> Patient:
    """An EC2 instance whose dockerd pulls from ECR with the token of its role."""
    join = namespace.join()
    aws.access_key_ids.add(install_aws(tmp_path / "administrator", *join))
    env = {**environment, "PATH": f"{environment['PATH']}:{tmp_path / 'administrator'}"}
    user = wrapped(Patient(installed, env), tmp_path / "inside", f"exec {' '.join(join)}").online
    user.configure(credHelpers={ECR_HOST: "ecr-login"})
    user.set("[ecr]\nfailure_seconds = 0.001\n")
    return user


def pulls(namespace: Namespace, image: str) -> Works:
    """Return the pull of an image that the daemon does not have."""

    def works(user: Patient) -> bool:
        docker = Docker(namespace, DEBIANS_DOCKER, user.env)
        docker.forget(image)
        done = docker("pull", image)
        user.seen.append(done.stderr.encode())
        return done.returncode == 0

    return works


@pytest.mark.failure("token-permission.access-denied")
def test_a_pull_without_a_permission(
    exhibit: Exhibit, worker: Patient, aws: Emulator, namespace: Namespace, published: str
) -> None:
    aws.stage("access-denied")
    exhibit(worker, published, works=pulls(namespace, published))


@pytest.mark.failure("aws-identity.hop-limit")
def test_a_pull_in_a_container(
    exhibit: Exhibit, worker: Patient, aws: Emulator, namespace: Namespace, published: str
) -> None:
    aws.stage("hop-limit")
    exhibit(worker, published, works=pulls(namespace, published), fill={"ID": imds.INSTANCE})


@pytest.mark.failure("aws-identity.no-role")
def test_a_pull_without_a_role(
    exhibit: Exhibit, worker: Patient, aws: Emulator, namespace: Namespace, published: str
) -> None:
    aws.stage("no-role")
    fill = {"ID": imds.INSTANCE, "NAME": "pull"}
    exhibit(worker, published, works=pulls(namespace, published), fill=fill)

"""An ECR registry that does not let an image be pulled: its policies, the pull-through cache, an old login.

The client is a real skopeo, which asks docker-credential-ecr-login; the registries are the emulator's, behind
their own names and certificates.
"""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.aws_cli import install_aws
from tests.gallery.ecr_hosts import EcrHosts
from tests.gallery.exhibit import Exhibit, Works
from tests.integration.doctor import Patient
from tests.support.aws import HOST, Aws
from tests.support.tools import require

OTHER = HOST.replace("123456789012", "999999999999")
PUBLIC = "public.ecr.aws"
IMAGE = "team/app:1"
SECONDS = 60


@pytest.fixture
def worker(user: Patient, aws: Aws, tmp_path: Path) -> Iterator[Patient]:
    """An EC2 instance that reaches Amazon's registries."""
    aws.access_key_ids.add(install_aws(tmp_path / "administrator"))
    user = user.but(**aws.environment(), PATH=f"{user.env['PATH']}:{tmp_path / 'administrator'}")
    user.configure(credHelpers=dict.fromkeys((HOST, OTHER), "ecr-login"))
    with EcrHosts(aws, tmp_path / "certificates", (HOST, OTHER, PUBLIC)) as hosts:
        yield hosts.reached_by(user)


def pulls(image: str) -> Works:
    """Return the request for an image's manifest by skopeo, which is what every pull does first."""

    def works(user: Patient) -> bool:
        done = subprocess.run(
            [require("skopeo", "skopeo"), "inspect", "--raw", f"docker://{image}"],
            env=user.env,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        user.seen.append(done.stderr)
        return done.returncode == 0

    return works


@pytest.mark.failure("registry.repository-policy")
def test_a_repository_of_another_account(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    aws.stage("repository-denied")
    exhibit(worker, f"{OTHER}/{IMAGE}", works=pulls(f"{OTHER}/{IMAGE}"))


@pytest.mark.failure("registry.repository-unknown")
def test_a_repository_that_does_not_exist(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    aws.stage("repository-missing")
    exhibit(worker, f"{HOST}/{IMAGE}", works=pulls(f"{HOST}/{IMAGE}"))


@pytest.mark.failure("registry.pull-through-secret")
def test_the_secret_of_a_pull_through_cache(
    exhibit: Exhibit, worker: Patient, aws: Aws, tmp_path: Path
) -> None:
    aws.stage("pull-through-secret")
    image = f"{HOST}/docker-hub/library/alpine:3"
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"username": "ada", "accessToken": CANARY}))
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"
    exhibit(worker, image, works=pulls(image), way=1, fill={"ARN": arn})


@pytest.mark.failure("registry.access-denied")
def test_an_identity_that_may_not_pull(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    aws.stage("pull-denied")
    exhibit(worker, f"{HOST}/{IMAGE}", works=pulls(f"{HOST}/{IMAGE}"))


def login(worker: Patient, seconds: float) -> None:
    """Leave what `docker login public.ecr.aws` leaves, so long before its end."""
    token = {"payload": CANARY, "version": "2", "expiration": int(time.time() + seconds)}
    secret = base64.b64encode(json.dumps(token).encode()).decode()
    assert worker.on_path("pass").store(PUBLIC, "AWS", secret).code == 0
    worker.configure(credHelpers={PUBLIC: "pass"}, auths={PUBLIC: {}})


@pytest.mark.failure("public-login.expired")
def test_an_old_login_to_ecr_public(
    exhibit: Exhibit, worker: Patient, password_store_env: dict[str, str]
) -> None:
    require("docker", "docker.io")
    worker = worker.but(**{**password_store_env, "PATH": worker.env["PATH"]})
    login(worker, -3 * 86400)
    image = f"{PUBLIC}/docker/library/alpine:3"
    exhibit(worker, PUBLIC, works=pulls(image))

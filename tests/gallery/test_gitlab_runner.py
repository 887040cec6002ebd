"""GitLab Runner: each look-up at the end is made as its docker executor makes it."""

import json
import tomllib

import pytest

from tests.gallery.exhibit import Exhibit, Works
from tests.gallery.host import UNIT_PATH, Host
from tests.gallery.nomad_worker import host, install_ours, root
from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root
from tests.support.aws import HOST, PASSWORD, Aws
from tests.support.client import NOT_FOUND

__all__ = ["host", "root"]

pytestmark = needs_root

CONFIG = "/etc/gitlab-runner/config.toml"
ON_HOST = ("--client", "gitlab-runner")
COMMAND = f'ExecStart=/usr/bin/gitlab-runner "run" "--config" "{CONFIG}" "--user" "gitlab-runner"'


def runner(host: Host, allowed: str = "", **auth: object) -> None:
    """Write the runner's configuration, with what DOCKER_AUTH_CONFIG has."""
    variable = json.dumps("DOCKER_AUTH_CONFIG=" + json.dumps(auth))
    text = f'concurrent = 4\n\n[[runners]]\n  executor = "docker"\n  environment = [{variable}]\n{allowed}'
    host.write(CONFIG, text + '  [runners.docker]\n    image = "alpine"\n', 0o600)


@pytest.fixture
def in_cloud(host: Host, aws: Aws) -> dict[str, str]:
    """The environment of the runner, whose unit names an instance role."""
    variables = {**aws.environment(), "AWS_ECR_CACHE_DIR": "/var/lib/credhelpers"}
    words = " ".join(f"{name}={value}" for name, value in variables.items())
    host.unit("gitlab-runner.service", COMMAND, f"Environment={words}")
    return {"PATH": UNIT_PATH, **variables}


def pulls(host: Host, environ: dict[str, str], name: str = "ecr-login") -> Works:
    """Return what the executor does for an image, with the helper that DOCKER_AUTH_CONFIG names."""

    def works(_: Patient) -> bool:
        done = host.run([f"docker-credential-{name}", "get"], HOST.encode(), environ)
        return done.returncode == 0 and json.loads(done.stdout)["Secret"] == PASSWORD

    return works


@pytest.mark.failure("gitlab-runner-helper.not-on-path")
def test_a_helper_beside_the_runners_path(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, in_cloud: dict[str, str]
) -> None:
    runner(host, credHelpers={HOST: "auto"})
    install_ours(host, user, "auto", "/opt/credhelpers/bin")
    exhibit(root, *ON_HOST, works=pulls(host, in_cloud, "auto"), prefix=host.inside)


@pytest.mark.failure("gitlab-runner-helper.not-executable")
def test_a_helper_of_the_runner_without_its_mode(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, in_cloud: dict[str, str]
) -> None:
    runner(host, credHelpers={HOST: "auto"})
    script = f'#!/bin/sh\nexec {user.bin}/docker-credential-auto "$@"\n'
    host.write("/usr/local/bin/docker-credential-auto", script, 0o644)
    exhibit(root, *ON_HOST, works=pulls(host, in_cloud, "auto"), prefix=host.inside)


@pytest.mark.failure("gitlab-runner-helper.not-allowed")
def test_a_helper_that_is_not_allowed(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, in_cloud: dict[str, str]
) -> None:
    install_ours(host, user, "ecr-login")
    install_ours(host, user, "pass")
    runner(host, '  allowed_docker_credential_helpers = ["pass"]\n', credHelpers={HOST: "ecr-login"})

    def works(patient: Patient) -> bool:
        listed = '["ecr-login", "pass"]' in host.path(CONFIG).read_text()
        return listed and pulls(host, in_cloud)(patient)

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("gitlab-runner-credentials.invalid")
def test_a_variable_that_is_not_json(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, in_cloud: dict[str, str]
) -> None:
    install_ours(host, user, "ecr-login")
    host.write(CONFIG, "[[runners]]\n  environment = ['DOCKER_AUTH_CONFIG={\"credHelpers\": ']\n")

    def works(patient: Patient) -> bool:
        return HOST in host.path(CONFIG).read_text() and pulls(host, in_cloud)(patient)

    exhibit(
        root,
        *ON_HOST,
        works=works,
        by=("correct the file", lambda: runner(host, credHelpers={HOST: "ecr-login"})),
    )


@pytest.mark.failure("gitlab-runner-answer.error")
def test_one_helper_that_drops_all(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, in_cloud: dict[str, str]
) -> None:
    """A service has no keyring; that has nothing to do with the registry that then goes without."""
    install_ours(host, user, "ecr-login")
    install_ours(host, user, "keyring")
    runner(host, credHelpers={HOST: "ecr-login", "registry.example": "keyring"})

    def works(patient: Patient) -> bool:
        asked = json.loads(_variable(host))["credHelpers"].items()
        done = [host.run([f"docker-credential-{name}", "get"], key.encode(), in_cloud) for key, name in asked]
        failed = [one for one in done if one.returncode and NOT_FOUND not in one.stdout]
        return not failed and pulls(host, in_cloud)(patient)

    def leave_it_out() -> None:
        runner(host, credHelpers={HOST: "ecr-login"})

    exhibit(root, *ON_HOST, works=works, by=("use docker-credential-pass", leave_it_out))


def _variable(host: Host) -> str:
    (line,) = tomllib.loads(host.path(CONFIG).read_text())["runners"][0]["environment"]
    return str(line).partition("=")[2]

"""docker push and pull with an ECR registry: only docker-credential-ecr-login knows the password."""

from __future__ import annotations

from credhelpers.emulator import Emulator
from tests.e2e.aws import emulated_aws
from tests.e2e.docker import Docker
from tests.e2e.registry import Registry


def use_the_helper(docker: Docker, registry: Registry) -> None:
    docker.configure({"credHelpers": {registry.host: "ecr-login"}})


def test_push_and_pull_by_cred_helpers_alone(
    docker: Docker, ecr_registry: Registry, aws: Emulator, image: str
) -> None:
    use_the_helper(docker, ecr_registry)
    configuration = docker.config_file.read_bytes()
    name = f"{ecr_registry.host}/{image}"

    docker.import_image(name)
    docker.succeed("push", name)
    docker.forget(name)
    docker.succeed("pull", name)

    assert docker.has(name)
    assert docker.config_file.read_bytes() == configuration
    assert aws.calls["imds"] > 0, "the instance role was never asked for"
    assert aws.calls["GetAuthorizationToken"] == 1, "push and pull share one token"


def test_the_same_pull_without_the_helper_fails(docker: Docker, published: str) -> None:
    docker.configure({})

    pull = docker("pull", published)

    assert pull.returncode == 1
    assert "no basic auth credentials" in pull.stderr
    assert not docker.has(published)


def test_a_pull_goes_through_the_helper(
    docker: Docker, ecr_registry: Registry, aws: Emulator, published: str
) -> None:
    use_the_helper(docker, ecr_registry)

    docker.succeed("pull", published)

    assert docker.has(published)
    assert aws.calls["GetAuthorizationToken"] == 1


def test_a_foreign_token_is_refused(docker: Docker, ecr_registry: Registry, published: str) -> None:
    use_the_helper(docker, ecr_registry)
    with emulated_aws(docker.namespace, "of another registry") as aws:
        foreign = Docker(docker.namespace, docker.executable, {**docker.environment, **aws.environment()})
        pull = foreign("pull", published)

    assert pull.returncode == 1
    assert "unauthorized" in pull.stderr
    assert aws.calls["GetAuthorizationToken"] == 1
    assert not docker.has(published)


def test_the_cause_reaches_the_terminal(docker: Docker, ecr_registry: Registry, published: str) -> None:
    use_the_helper(docker, ecr_registry)
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true"}
    without_role = Docker(docker.namespace, docker.executable, {**docker.environment, **nowhere})

    pull = without_role("pull", published)

    assert pull.returncode == 1
    assert "docker-credential-ecr-login: " in pull.stderr
    assert "no basic auth credentials" in pull.stderr

"""What of podman's files the gallery does not stage: those of the system, and what only shows a fault."""

import os
import time
from pathlib import Path

import pytest

from credhelpers.cli.doctor.clients import podman
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.clients import registries_conf, sed_command
from credhelpers.clients.containers_auth import auth_paths, own_auth_paths
from credhelpers.config import Settings
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding
from tests.integration.doctor import Patient, documented, install
from tests.remedies.mending import Mending
from tests.support.aws import Aws

ECR_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def podman_user(user: Patient, tmp_path: Path) -> Patient:
    """A user with a podman, and with a system of their own below the root directory of the tests."""
    program = tmp_path / "programs" / "podman"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (user.home / ".config" / "containers").mkdir(parents=True)
    user.configure()
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    return user.but(PATH=f"{program.parent}:{user.env['PATH']}", XDG_RUNTIME_DIR=str(runtime))


def examine(user: Patient, root: Path, server: str | None = None) -> dict[str, Finding]:
    """Return what is found about podman, by id."""
    machine = Machine(user.env, Settings({}), server, time.monotonic() + 8, str(root))
    found = {finding.id: finding for _, findings in podman.examine(machine) for finding in findings}
    assert {name for name, finding in found.items() if finding.state != "ok"} <= documented()
    return found


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_hidden_drop_in_is_copied(podman_user: Patient, tmp_path: Path, mend: Mending) -> None:
    helpers = 'credential-helpers = ["ecr-login", "containers-auth.json"]\n'
    write(tmp_path / "root/etc/containers/registries.conf.d/50-x.conf", helpers)
    write(podman_user.home / ".config/containers/registries.conf", "")
    found = examine(podman_user, tmp_path / "root")
    mend(found["podman-helpers.hidden"].remedy, podman_user.env)
    assert "asks ecr-login" in examine(podman_user, tmp_path / "root")["podman-helpers"].text


def test_an_ecr_registry_gets_its_helper(
    podman_user: Patient, tmp_path: Path, mend: Mending, aws: Aws
) -> None:
    podman_user = podman_user.but(**aws.environment())
    found = examine(podman_user, tmp_path, ECR_HOST)
    mend(found["podman-answer.none"].remedy, podman_user.env)
    assert "podman-answer.none" not in examine(podman_user, tmp_path, ECR_HOST)


def test_the_reason_without_a_token_is_shown(podman_user: Patient, tmp_path: Path) -> None:
    path = podman_user.home / ".config/containers/auth.json"
    write(path, f'{{"credHelpers": {{"{ECR_HOST}": "ecr-login"}}}}')
    found = examine(podman_user.but(AWS_EC2_METADATA_DISABLED="true"), tmp_path, ECR_HOST)
    assert "docker-credential-ecr-login get" in found["podman-answer.none"].remedy


def test_the_error_of_podmans_helper_is_shown(podman_user: Patient, tmp_path: Path) -> None:
    install(tmp_path / "programs", "x", 'echo "the vault is sealed"; exit 1')
    write(podman_user.home / ".config/containers/auth.json", '{"credHelpers": {"a.example": "x"}}')
    found = examine(podman_user, tmp_path)["podman-answer.error"]
    assert "the vault is sealed" in found.text
    assert "docker-credential-x get" in found.remedy


def test_a_helper_that_cannot_list(podman_user: Patient, tmp_path: Path) -> None:
    install(tmp_path / "programs", "x", 'echo "the vault is sealed"; exit 1')
    write(podman_user.home / ".config/containers/registries.conf", 'credential-helpers = ["x"]')
    assert "the vault is sealed" in examine(podman_user, tmp_path)["podman-helpers.list"].text


def test_version_1_of_the_format(podman_user: Patient, tmp_path: Path) -> None:
    write(
        podman_user.home / ".config/containers/registries.conf", '[registries.search]\nregistries = ["a"]\n'
    )
    assert examine(podman_user, tmp_path)["registries-conf.old-format"].state == "warn"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("credential-helpers = 1", "must be a list"),
        ("[registry]", "registry must be a list"),
        ("[[registry]]", "without a location"),
        ('[[registry]]\nprefix = "a"', "without a location"),
        ('[[registry]]\nlocation = "a"\nmirror = 1', "mirror must be a list"),
        ('[registries.search]\nregistries = ["x"]\n[[registry]]\nlocation = "x"', "mixes the formats"),
        ("\udc80", "not valid TOML"),
    ],
)
def test_files_that_podman_refuses(user: Patient, tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "registries.conf"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(CredentialError, match=cause) as caught:
        registries_conf.read({**user.env, "CONTAINERS_REGISTRIES_CONF": str(path)}, str(tmp_path))
    assert caught.value.fault == "invalid"


def test_the_order_of_the_files(user: Patient, tmp_path: Path) -> None:
    system, own = tmp_path / "etc/containers", user.home / ".config/containers"
    for path, helper in [
        (system / "registries.conf", "a"),
        (system / "registries.conf.d/2.conf", "c"),
        (system / "registries.conf.d/1.conf", "b"),
        (system / "registries.conf.d/3.ignored", "x"),
        (own / "registries.conf.d/0.conf", "d"),
    ]:
        write(path, f'credential-helpers = ["{helper}"]')
    config = registries_conf.read(user.env, str(tmp_path))
    assert [names for _, [names] in config.helpers] == ["a", "b", "c", "d"]
    write(own / "registries.conf", 'credential-helpers = ["e"]')
    config = registries_conf.read(user.env, str(tmp_path))
    assert [names for _, [names] in config.helpers] == ["e", "d"]
    assert len(config.hidden) == 2


def test_a_prefix_with_a_wildcard(user: Patient, tmp_path: Path) -> None:
    text = '[[registry]]\nprefix = "*.example"\nblocked = true\n[[registry]]\nlocation = "a.example"\n'
    write(tmp_path / "etc/containers/registries.conf", text)
    config = registries_conf.read(user.env, str(tmp_path))
    blocked = {
        name: bool(table and table.blocked)
        for name in ("a.example", "b.example", "example")
        for table in [config.registry_for(name)]
    }
    assert blocked == {"a.example": False, "b.example": True, "example": False}


def test_the_places_of_the_auth_file(user: Patient) -> None:
    files = [".config/containers/auth.json", ".docker/config.json"]
    lasting = [str(user.home / name) for name in files]
    system = f"/root/run/containers/{os.geteuid()}/auth.json"
    assert auth_paths(user.env, "/root") == [system, *lasting]
    assert auth_paths({**user.env, "XDG_RUNTIME_DIR": "/r"}, "/") == ["/r/containers/auth.json", *lasting]
    assert auth_paths({**user.env, "REGISTRY_AUTH_FILE": "/x"}, "/") == ["/x"]


def test_the_auth_files_without_dockers(user: Patient, tmp_path: Path) -> None:
    lasting, root = str(user.home / ".config/containers/auth.json"), tmp_path / "root"
    runtime, named = {"XDG_RUNTIME_DIR": "/r"}, {"REGISTRY_AUTH_FILE": "/x"}
    assert own_auth_paths({**user.env, **runtime}) == ["/r/containers/auth.json", lasting]
    assert own_auth_paths({**user.env, **named}) == ["/x"]
    assert own_auth_paths(user.env, str(root)) == [lasting]
    (root / "run/containers").mkdir(parents=True)
    system = f"{root}/run/containers/{os.geteuid()}/auth.json"
    assert own_auth_paths(user.env, str(root)) == [system, lasting]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": ["x.y"]}', '{"a": []}'),
        ('{"a": ["x.y", "z"]}', '{"a": [ "z"]}'),
        ('{"a": ["z",\n "x.y"]}', '{"a": ["z"]}'),
        ('{"a": ["xzy"]}', '{"a": ["xzy"]}'),
    ],
)
def test_an_element_is_dropped(tmp_path: Path, before: str, after: str) -> None:
    path = write(tmp_path / "x.json", before)
    assert os.system(sed_command.drop_element(str(path), "x.y")) == 0
    assert path.read_text() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"auths": {}}', "{}"),
        ('{\n "auths": {"a": {"auth": "b"}},\n "b": 1\n}', '{\n "b": 1\n}'),
        ('{"b": 1, "auths": {"a": {"auth": "b"}, "c": {}}}', '{"b": 1}'),
        ('{"b": 1, "auths" : "x"\n}', '{"b": 1\n}'),
    ],
)
def test_a_member_is_dropped(tmp_path: Path, before: str, after: str) -> None:
    path = write(tmp_path / "x.json", before)
    assert os.system(sed_command.drop_member(str(path), "auths")) == 0
    assert path.read_text() == after

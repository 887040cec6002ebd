"""What in the environment makes Docker's CLI use another credential than that of config.json."""

import os
import pwd
from pathlib import Path

import pytest

from credhelpers.cli.doctor import docker_auth_config
from credhelpers.cli.doctor.docker_auth_config import check_environment
from credhelpers.clients.docker_config import DockerConfig
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER
from tests.remedies.mending import Mending

AUTH = "YWRhOmNhbmFyeTdkMWZlMDJh"  # ada, and the canary


def docker_of_version(directory: Path, version: str) -> Path:
    """Put a stand-in for Docker's CLI into a directory, because Debian has none that reads the variable."""
    directory.mkdir()
    program = directory / "docker"
    program.write_text(f"#!/bin/sh\necho Docker version {version}, build 0\n")
    program.chmod(0o755)
    return directory


@pytest.fixture
def newer(keeper: Patient, tmp_path: Path) -> Patient:
    """A user of a CLI that reads the variable."""
    return keeper.but(PATH=f"{docker_of_version(tmp_path / 'docker', '28.3.0')}:{keeper.env['PATH']}")


def test_the_variable_that_hides_a_helper_goes(newer: Patient, mend: Mending) -> None:
    user = newer.but(DOCKER_AUTH_CONFIG=f'{{"auths": {{"{SERVER}": {{"auth": "{AUTH}"}}}}}}')
    found = user.doctor(SERVER).of("DOCKER_AUTH_CONFIG")
    assert (found.id, found.state) == ("docker_auth_config.shadows", "warn")
    mended = user.but(**mend(found.remedy, user.env).env)
    mended.env.pop("DOCKER_AUTH_CONFIG", None)
    assert "docker_auth_config" not in [finding.id for finding in mended.doctor(SERVER).findings]
    user.assert_no_secret_was_shown()


def test_a_variable_that_docker_ignores_goes(newer: Patient, mend: Mending) -> None:
    user = newer.but(DOCKER_AUTH_CONFIG='{"auths": {}, "credHelpers": {}}')
    found = user.doctor(SERVER).of("DOCKER_AUTH_CONFIG")
    assert found.id == "docker_auth_config.ignored"
    assert "DOCKER_AUTH_CONFIG" not in mend(found.remedy, user.env).env


def test_a_directory_without_config_is_left(keeper: Patient, tmp_path: Path, mend: Mending) -> None:
    user = keeper.but(DOCKER_CONFIG=str(tmp_path / "elsewhere"))
    found = user.doctor(SERVER).of("DOCKER_CONFIG")
    assert found.id == "docker_config.elsewhere"
    mended = Patient(user.bin, mend(found.remedy, user.env).env)
    assert mended.doctor(SERVER).state("config file") == "ok"


def test_a_key_that_docker_never_asks_for(newer: Patient) -> None:
    user = newer.but(DOCKER_AUTH_CONFIG=f'{{"auths": {{"https://{SERVER}": {{"auth": "{AUTH}"}}}}}}')
    found = user.doctor(SERVER).of("DOCKER_AUTH_CONFIG")
    assert found.id == "docker_auth_config.never-asked"
    assert f"to {SERVER}" in found.remedy


@pytest.mark.parametrize("version", ["28.2.2", "20.10.24+dfsg1"])
def test_an_older_docker_does_not_read_it(keeper: Patient, tmp_path: Path, version: str) -> None:
    path = f"{docker_of_version(tmp_path / 'docker', version)}:{keeper.env['PATH']}"
    user = keeper.but(PATH=path, DOCKER_AUTH_CONFIG="{")
    assert user.doctor(SERVER).state("DOCKER_AUTH_CONFIG") == "ok"


def test_a_variable_without_any_helper_is_ok(newer: Patient) -> None:
    newer.configure(auths={"other.example": {}})  # so that Docker has no default store
    user = newer.but(DOCKER_AUTH_CONFIG=f'{{"auths": {{"{SERVER}": {{"auth": "{AUTH}"}}}}}}')
    assert user.doctor(SERVER).state("DOCKER_AUTH_CONFIG") == "ok"


def test_sudo_hides_the_users_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker" / "config.json").write_text('{"credsStore": "pass"}')
    account = pwd.struct_passwd(("ada", "x", 1000, 1000, "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", {"ada": account}.__getitem__)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    roots = DockerConfig(str(tmp_path / "config.json"), b"{}")
    (found,) = check_environment(roots, {"SUDO_USER": "ada"})
    assert (found.id, found.remedy.split(": ")[1]) == ("sudo.other-home", "usermod -aG docker ada")
    monkeypatch.setattr(docker_auth_config, "_is_member", lambda _: True)
    (found,) = check_environment(roots, {"SUDO_USER": "ada"})
    assert found.state == "ok"
    own = DockerConfig(str(tmp_path / "config.json"), b'{"credsStore": "pass"}')
    assert check_environment(own, {"SUDO_USER": "ada"}) == []
    assert check_environment(roots, {"SUDO_USER": "nobody-known"}) == []

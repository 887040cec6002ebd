"""Helpers that Docker cannot start, or should not: missing, closed, hidden, or any user's to change."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, docker_is_let_in, gets
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import needs_root
from tests.support.aws import HOST, PASSWORD, Aws
from tests.support.tools import require

SYSTEM = "/usr/bin:/bin"


@pytest.fixture
def member(keeper: Patient, registry: str) -> Patient:
    """A user whose password store has the credential for a real registry."""
    assert keeper.helper("pass").store(registry, "ada", CANARY).code == 0
    return keeper


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A directory with a space in its name, on which the users of these tests have their PATH."""
    return tmp_path / "other helpers"


@pytest.fixture
def team(member: Patient, others: Path) -> Patient:
    """The same user, whose Docker asks docker-credential-team: the reference helper, brought by hand."""
    others.mkdir(mode=0o755)
    reference = require("docker-credential-pass", "golang-docker-credential-helpers")
    shutil.copy(reference, others / "docker-credential-team")
    member.configure(credsStore="team")
    return member.but(PATH=f"{others}:{SYSTEM}")


@pytest.mark.failure("on-path.missing")
def test_helper_is_not_on_path(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(credsStore="auto")
    exhibit(member.but(PATH=SYSTEM), registry, works=docker_is_let_in(registry))


@pytest.mark.failure("on-path.missing")
def test_helper_is_not_installed(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(credsStore="absent")
    exhibit(member, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("on-path.not-executable")
def test_helper_is_not_executable(exhibit: Exhibit, team: Patient, others: Path, registry: str) -> None:
    (others / "docker-credential-team").chmod(0o644)
    exhibit(team, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("on-path.hidden")
def test_another_helper_comes_first(exhibit: Exhibit, member: Patient, registry: str) -> None:
    """The one of docker-credential-helpers has the same store, so that pulls work with either."""
    hidden = member.but(PATH=f"{SYSTEM}:{member.bin}")
    exhibit(hidden, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("on-path.other-version")
def test_helper_of_another_version(exhibit: Exhibit, member: Patient, others: Path, registry: str) -> None:
    """There is no older release to install: the script stands for one."""
    install(others, "pass", "echo 'docker-credential-pass (credhelpers) 0.0.1'")
    exhibit(member.but(PATH=f"{others}:{SYSTEM}"), registry, works=docker_is_let_in(registry))


@pytest.mark.failure("executable.writable-by-others")
@pytest.mark.parametrize("places", [("file",), ("directory",), ("file", "directory")])
def test_others_can_write_to_the_helper(
    exhibit: Exhibit, team: Patient, others: Path, registry: str, places: tuple[str, ...]
) -> None:
    for place in places:
        (others / "docker-credential-team" if place == "file" else others).chmod(0o777)
    exhibit(team, registry, works=docker_is_let_in(registry), breaks=False)


@needs_root
@pytest.mark.failure("executable.foreign")
@pytest.mark.parametrize("places", [("file",), ("file", "directory")])
def test_helper_of_another_user(
    exhibit: Exhibit, team: Patient, others: Path, registry: str, places: tuple[str, ...]
) -> None:
    for place in places:
        os.chown(others / "docker-credential-team" if place == "file" else others, 12345, 12345)
    exhibit(team, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("fast-path.launcher-missing")
def test_launcher_is_gone(exhibit: Exhibit, user: Patient, aws: Aws, tmp_path: Path) -> None:
    """The remedy is run by tests/integration/test_install.py; here the launcher comes back as it was."""
    fast = (user.bin / "docker-credential-ecr-login").read_text()
    assert "CREDHELPERS_FAST_PATH" in fast, "the helpers were installed without the launcher in plain sh"
    path = tmp_path / "prefix" / "bin" / "docker-credential-ecr-login"
    path.parent.mkdir(parents=True)
    path.write_text(re.sub(r"(?m)^helper=.*$", "helper='/nonexistent'", fast))
    path.chmod(0o755)
    user.configure(credHelpers={HOST: "ecr-login"})
    user = user.but(**aws.environment(), PATH=f"{path.parent}:{user.env['PATH']}")
    again = (f"scripts/install.sh --prefix {path.parent.parent}", lambda: path.write_text(fast))
    exhibit(user, HOST, works=gets("ecr-login", HOST, PASSWORD), by=again)


@pytest.mark.failure("on-path.missing")
def test_helper_of_one_server_is_missing(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(credsStore="pass", credHelpers={registry: "absent"})
    mended = ("name another one in credHelpers", lambda: member.configure(credHelpers={registry: "pass"}))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)

"""Editing config.json keeps its owner, group, mode, ACL and extended attributes, or does not edit it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.docker_home import DockerHome
from tests.support.tools import require

ACL = "system.posix_acl_access"
ARGUMENTS = ("configure", "--force", "--store", "pass")


@pytest.fixture
def home(installed: Path, private_env: dict[str, str]) -> DockerHome:
    """A user with a Docker configuration."""
    home = DockerHome({**private_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write('{"auths": {}}')
    home.config.chmod(0o640)
    return home


def _setfacl(*arguments: str | Path) -> None:
    subprocess.run([require("setfacl", "acl"), *arguments], check=True, timeout=30)


def _getfacl(path: Path) -> str:
    command = [require("getfacl", "acl"), "--omit-header", "--absolute-names", str(path)]
    return subprocess.run(command, check=True, timeout=30, capture_output=True, text=True).stdout


@pytest.mark.parametrize("entries", ["u:12345:r", "u:12345:rw,g:54321:r,m::r", "u:12345:-"])
def test_an_acl_stays(home: DockerHome, entries: str) -> None:
    _setfacl("--modify", entries, home.config)
    before, mode = _getfacl(home.config), home.config.stat().st_mode

    home.succeed(*ARGUMENTS)

    assert "credsStore" in home.config.read_text()
    assert (_getfacl(home.config), home.config.stat().st_mode) == (before, mode)
    home.succeed("configure", "--undo")
    assert _getfacl(home.config) == before


def test_a_default_acl_is_not_inherited(home: DockerHome) -> None:
    _setfacl("--default", "--modify", "u:12345:rwx", home.config.parent)
    assert ACL not in os.listxattr(home.config)

    home.succeed(*ARGUMENTS)

    assert ACL not in os.listxattr(home.config)
    assert home.config.stat().st_mode & 0o777 == 0o640


def test_an_extended_attribute_stays(home: DockerHome) -> None:
    os.setxattr(home.config, "user.origin", b"dotfiles\0")

    home.succeed(*ARGUMENTS)

    assert os.getxattr(home.config, "user.origin") == b"dotfiles\0"


def test_an_acl_of_nomads_and_podmans_files_stays(home: DockerHome, tmp_path: Path) -> None:
    system, auth = tmp_path / "config.toml", tmp_path / "auth.json"
    system.write_text("# ours\n")
    auth.write_text("{}")
    home.env["REGISTRY_AUTH_FILE"] = str(auth)
    for path in (system, auth):
        _setfacl("--modify", "u:12345:r", path)
    before = [_getfacl(path) for path in (system, auth)]

    host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    nomad = ("--nomad", "--nomad-dir", str(tmp_path / "nomad.d"), "--system-config", str(system))
    home.succeed("configure", "--podman", "--ecr", host, *nomad)

    assert "not_found" in system.read_text() and host in auth.read_text()
    assert [_getfacl(path) for path in (system, auth)] == before


only_root_can_give = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give a file what its owner cannot"
)


def _fail_without_privileges(home: DockerHome) -> str:
    """Edit as the owner of the file who is not root; root without its capabilities is one."""
    before = home.config.read_bytes()
    told = home.fail(*ARGUMENTS, prefix=(require("setpriv", "util-linux"), "--bounding-set=-all", "--"))
    assert home.config.read_bytes() == before and home.litter() == []
    return told


@only_root_can_give
def test_an_attribute_that_is_lost_is_named(home: DockerHome) -> None:
    os.setxattr(home.config, "security.label", b"x")

    told = _fail_without_privileges(home)

    assert f"the attribute security.label of {home.config} could not be kept" in told


@only_root_can_give
def test_a_group_that_cannot_be_kept_is_named(home: DockerHome) -> None:
    os.chown(home.config, 0, 54321)

    told = _fail_without_privileges(home)

    assert f"the owner or group of {home.config} could not be kept" in told

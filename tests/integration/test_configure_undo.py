"""`credhelpers configure --undo` once credentials have moved: no pull fails by it unawares."""

import base64
import json
from pathlib import Path

import pytest

from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.client import Helper

AUTH = base64.b64encode(b"ada:secret").decode()
PLAIN = json.dumps({"auths": {"r.example": {"auth": AUTH}}})


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str], tmp_path: Path) -> DockerHome:
    """A user with an empty password store, and another one, ``docker-credential-stub``."""
    (tmp_path / "stub").mkdir()
    stub_helper(tmp_path / "bin", "stub", FILE_STORE)
    env = {**password_store_env, "PATH": f"{tmp_path / 'bin'}:{installed}:/usr/bin:/bin"}
    return DockerHome({**env, "STUB": str(tmp_path / "stub")}, installed / "credhelpers")


def _helper(home: DockerHome, name: str) -> Helper:
    return Helper(home.command.with_name(f"docker-credential-{name}"), home.env)


def _migrated(home: DockerHome) -> bytes:
    home.write(PLAIN)
    home.succeed("configure", "--force", "--store", "pass")
    home.succeed("migrate")
    return home.config.read_bytes()


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--json",)])
def test_moved_credentials_stop_undo(home: DockerHome, more: tuple[str, ...]) -> None:
    before = _migrated(home)

    told = home.fail("configure", "--undo", *more)

    assert "the credentials of r.example are in pass, which Docker would no longer ask" in told
    assert "credhelpers configure --undo --force" in told
    assert home.config.read_bytes() == before and home.backup.exists()


def test_force_undoes_with_a_warning(home: DockerHome) -> None:
    _migrated(home)

    answer = home.run("configure", "--undo", "--force")

    assert answer.code == 0
    assert b"r.example are in pass, which Docker no longer asks" in answer.err
    assert b"docker login r.example" in answer.err
    assert json.loads(home.config.read_text()) == {"auths": {"r.example": {}}}
    assert _helper(home, "pass").get("r.example").value()["Secret"] == "secret"


def test_undo_after_migrating_back(home: DockerHome) -> None:
    home.write('{"credsStore": "stub"}')
    stub = Helper(Path(home.env["PATH"].partition(":")[0], "docker-credential-stub"), home.env)
    assert stub.store("r.example", "ada", "secret").code == 0
    home.succeed("configure", "--force", "--store", "pass")
    home.succeed("migrate", "--from", "stub", "--to", "pass")

    told = home.fail("configure", "--undo")

    command = told.partition("bring them back first: credhelpers ")[2].partition(";")[0]
    assert command == "migrate --from pass --to stub"
    home.succeed(*command.split())
    home.succeed("configure", "--undo")
    assert json.loads(home.config.read_text()) == {"credsStore": "stub", "auths": {"r.example": {}}}
    assert stub.get("r.example").value()["Secret"] == "secret"


def test_a_later_login_stops_undo(home: DockerHome) -> None:
    home.write("{}")
    home.succeed("configure", "--force", "--store", "pass")
    assert _helper(home, "pass").store("new.example", "ada", "secret").code == 0
    home.write('{"credsStore": "pass", "auths": {"new.example": {}}}')

    assert "new.example" in home.fail("configure", "--undo")


def test_credentials_in_both_stores_allow_undo(home: DockerHome) -> None:
    home.write('{"credsStore": "stub", "auths": {"r.example": {}}}')
    for path in (Path(home.env["PATH"].partition(":")[0]), home.command.parent):
        name = "stub" if path != home.command.parent else "pass"
        assert Helper(path / f"docker-credential-{name}", home.env).store("r.example", "a", "s").code == 0
    home.succeed("configure", "--force", "--store", "pass")

    home.succeed("configure", "--undo")

    assert json.loads(home.config.read_text())["credsStore"] == "stub"


def test_undo_where_nothing_was_moved(home: DockerHome) -> None:
    before = home.write(PLAIN)
    home.succeed("configure", "--force", "--store", "pass")

    assert "undone" in home.succeed("configure", "--undo")

    assert home.config.read_bytes() == before


def test_a_store_that_fails_stops_undo(home: DockerHome) -> None:
    _migrated(home)
    Path(home.env["HOME"], ".password-store", ".gpg-id").unlink()
    home.write('{"credsStore": "broken", "auths": {"r.example": {}}}')
    stub_helper(Path(home.env["PATH"].partition(":")[0]), "broken", "echo out of order; exit 1")

    assert "r.example are in broken" in home.fail("configure", "--undo")


def test_an_uninstalled_store_allows_undo(home: DockerHome) -> None:
    _migrated(home)
    home.write('{"credsStore": "gone", "auths": {"r.example": {}}}')

    home.succeed("configure", "--undo")

    assert json.loads(home.config.read_text()) == {"auths": {"r.example": {}}}


def test_undo_removes_a_file_that_was_new(home: DockerHome) -> None:
    home.succeed("configure", "--force", "--store", "pass")

    assert "removed, because it did not exist before" in home.succeed("configure", "--undo")

    assert not home.config.exists()

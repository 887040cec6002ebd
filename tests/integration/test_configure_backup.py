"""What `credhelpers configure` keeps for --undo: enough for every byte, and no secret at any moment."""

import base64
import json
import os
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY, traces_of_canary
from tests.integration.docker_home import DockerHome

AUTH = base64.b64encode(f"ada:{CANARY}".encode()).decode()
SECRETS = json.dumps(
    {"auths": {"r.example": {"auth": AUTH}}, "HttpHeaders": {"X-Token": CANARY}}, indent="\t"
)
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with an empty password store who is logged in to a registry in plain text."""
    home = DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write(SECRETS)
    return home


def _assert_no_secret_beside(home: DockerHome, *but: str) -> None:
    """Search all files in Docker's directory for the canary."""
    for path in home.config.parent.iterdir():
        if path.name not in but:
            assert [trace for trace in traces_of_canary() if trace in path.read_bytes()] == [], path


def test_the_backup_has_no_secret(home: DockerHome) -> None:
    home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)

    assert home.backup.exists()
    _assert_no_secret_beside(home, "config.json")
    home.succeed("configure", "--undo")
    assert home.config.read_text() == SECRETS


def test_no_secret_is_left_after_logging_out(home: DockerHome) -> None:
    home.write(json.dumps({"auths": {"r.example": {"auth": AUTH}}}))
    home.succeed("configure", "--force", "--store", "pass")

    home.succeed("logout", "r.example")

    _assert_no_secret_beside(home)


def test_no_secret_is_left_after_migration(home: DockerHome) -> None:
    home.succeed("configure", "--force", "--store", "pass")
    newer = base64.b64encode(f"ada:{CANARY}-newer".encode()).decode()
    home.write(json.dumps({"auths": {"r.example": {"auth": newer}}, "credsStore": "pass"}))

    home.succeed("migrate")

    _assert_no_secret_beside(home)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_files_of_a_killed_run_are_private(home: DockerHome, moment: str) -> None:
    home.config.chmod(0o644)
    count = home.steps("configure", "--force", "--store", "pass")
    complete = {SECRETS.encode(), home.config.read_bytes(), home.backup.read_bytes()}
    for step in range(1, count + 1):
        home.write(SECRETS)
        home.is_killed(step, moment, "configure", "--force", "--store", "pass")
        for path in home.config.parent.iterdir():
            assert path.stat().st_mode & 0o077 == 0 or path.read_bytes() in complete, (step, path)
        home.steps("logout", "absent.example")
        _assert_no_secret_beside(home, "config.json")


FORMER = {
    "a file with secrets": SECRETS,
    "a file with helpers": f'{{ "auths": {{"r.example": {{"auth": "{AUTH}"}}}}, "credsStore" : "desktop" }}',
}


@pytest.mark.parametrize("command", ["migrate", "logout r.example", "configure --force --store pass"])
@pytest.mark.parametrize("former", FORMER.values(), ids=FORMER)
def test_an_old_backup_loses_its_secrets(home: DockerHome, command: str, former: str) -> None:
    home.succeed("configure", "--force", "--store", "pass")
    home.backup.write_text(former)

    home.succeed(*command.split())

    _assert_no_secret_beside(home, "config.json")
    home.succeed("configure", "--undo", "--force")
    assert json.loads(home.config.read_text()).get("credsStore") == json.loads(former).get("credsStore")


def test_an_old_backup_is_undone_to_the_byte(home: DockerHome) -> None:
    home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)
    home.backup.write_text(SECRETS)

    home.succeed("configure", "--undo")

    assert home.config.read_text() == SECRETS
    assert os.listdir(home.config.parent) == ["config.json"]


def test_a_dry_run_leaves_an_old_backup(home: DockerHome) -> None:
    home.backup.write_text(SECRETS)

    home.succeed("migrate", "--to", "pass", "--dry-run")

    assert home.backup.read_text() == SECRETS


@pytest.mark.parametrize("name", ["config.json.credhelpers-backup", "config.json.credhelpers-1.tmp"])
def test_doctor_warns_of_files_with_secrets(home: DockerHome, name: str) -> None:
    home.write('{"credsStore": "pass"}')
    home.config.with_name(name).write_text(SECRETS)

    told = home.run("doctor").out.decode()

    assert f"warn  backup: {home.config.with_name(name)} may hold secrets in plain text" in told
    assert "-> credhelpers migrate" in told
    home.succeed("migrate")
    assert "backup:" not in home.run("doctor").out.decode()


@pytest.mark.parametrize("content", ['{"credhelpers-backup": 1}', '{"credhelpers-backup": 1, "exists": tr'])
def test_a_damaged_backup_is_not_undone(home: DockerHome, content: str) -> None:
    home.backup.write_text(content)

    assert str(home.backup) in home.fail("configure", "--undo")

    assert home.config.read_text() == SECRETS


@pytest.mark.parametrize("content", ["{", "[]"])
def test_an_invalid_backup_is_refused_first(home: DockerHome, content: str) -> None:
    home.backup.write_text(content)

    assert str(home.backup) in home.fail("logout", "r.example")

    assert home.config.read_text() == SECRETS
    assert str(home.backup) in home.run("doctor").out.decode()


EXACT = {
    "nothing": "",
    "white space": " \n",
    "an empty object": "{ \n }\n",
    "an empty table": '{"credHelpers": { }, "x": 1}',
    "null": '{"credHelpers":null,"credsStore":null}',
    "escapes": '{"credsStore" : "\\u0078", "credHelpers":\n{"a":"\\u0062" }}',
    "other case": '{"CredsStore":"x"}\n',
    "the same helper": '{"credsStore": "pass", "auths": {}}',
    "in the middle": '{\r\n  "a": 1,\r\n  "credHelpers": {\r\n    "x": "y"\r\n  },\r\n  "z": 2\r\n}',
}


@pytest.mark.parametrize("content", EXACT.values(), ids=EXACT)
def test_undo_brings_back_every_byte(home: DockerHome, content: str) -> None:
    home.write(content)
    home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)

    home.succeed("configure", "--undo")

    assert home.config.read_text() == content.replace("\r\n", "\n")
    assert home.config.read_bytes() == content.encode()

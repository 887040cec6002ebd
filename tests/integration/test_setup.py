"""`credhelpers setup`: the plan, what it makes, what it refuses; test_setup_outage.py counts failed pulls."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.docker_home import FILE_STORE, stub_helper
from tests.support.keyring import SecretService
from tests.support.operator import Operator
from tests.support.tools import require

SECRET = "canary-5ecret"
SERVER = "registry.example:5000"
HUB = "https://index.docker.io/v1/"


def auth(username: str = "ada", secret: str = SECRET) -> str:
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


@pytest.fixture
def nobody(installed: Path, private_env: dict[str, str], tmp_path: Path) -> Iterator[Operator]:
    """A user without a key, a store or a keyring; nothing of podman's is on PATH."""
    path = Path(tempfile.mkdtemp(prefix="ch-setup-", dir="/tmp"))
    env = {**private_env, "GNUPGHOME": str(path / "gnupg"), "PATH": f"{programs(tmp_path)}"}
    try:
        yield Operator.at(installed, env)
    finally:
        if (path / "gnupg").exists():
            gpgconf = [require("gpgconf", "gpgconf"), "--homedir", str(path / "gnupg"), "--kill", "all"]
            subprocess.run(gpgconf, check=False, timeout=30)
        shutil.rmtree(path)


@pytest.fixture
def keeper(installed: Path, password_store_env: dict[str, str], tmp_path: Path) -> Operator:
    """A user with an empty password store; nothing of podman's is on PATH."""
    return Operator.at(installed, {**password_store_env, "PATH": f"{programs(tmp_path)}"})


def programs(tmp_path: Path) -> Path:
    """Return a directory with the programs of the system that the stores need."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in ("gpg", "gpgconf", "gpg-agent", "sh", "sed", "tr", "cat", "rm", "env", "stat", "dirname"):
        if found := shutil.which(name, path="/usr/bin:/bin"):
            (directory / name).symlink_to(found)
    return directory


def plain(operator: Operator, **more: object) -> bytes:
    """Write a config.json with a password in it, and return its bytes."""
    content = {"auths": {SERVER: {"auth": auth()}}, **more}
    return operator.write(".docker/config.json", json.dumps(content, indent="\t")).read_bytes()


def config(operator: Operator) -> dict[str, object]:
    content: dict[str, object] = json.loads((operator.home / ".docker/config.json").read_text())
    return content


def test_headless_makes_a_store_and_moves_secrets(nobody: Operator) -> None:
    plain(nobody)

    result = nobody.succeed("setup", "--offline", "--headless", "--yes")

    assert "1. make a password store in" in result.out
    assert f"the credentials of {SERVER}" in result.out
    assert "0 failed" in result.out, "the doctor has the last word"
    assert config(nobody) == {"auths": {SERVER: {}}, "credsStore": "auto"}
    assert nobody.helper("auto").get(SERVER).credentials().secret == SECRET
    assert SECRET not in result.out + result.err


def test_nothing_is_configured_yet(keeper: Operator, tmp_path: Path) -> None:
    stub_helper(tmp_path / "programs", "pass", FILE_STORE)
    (tmp_path / "programs" / "pass").symlink_to("/bin/true")

    result = keeper.succeed("setup", "--offline", "--yes")

    assert "Docker asks docker-credential-pass, its default on this machine." in result.out
    assert f"{keeper.home}/.docker/config.json: created" in result.out
    assert config(keeper) == {"credsStore": "auto"}


def test_a_second_run_changes_nothing(nobody: Operator) -> None:
    plain(nobody)
    nobody.succeed("setup", "--offline", "--headless", "--yes")
    before = (nobody.home / ".docker/config.json").stat()
    keys = sorted(Path(nobody.env["GNUPGHOME"], "private-keys-v1.d").iterdir())

    result = nobody.succeed("setup", "--offline", "--headless")

    assert "Nothing has to be changed." in result.out
    assert (nobody.home / ".docker/config.json").stat() == before
    assert sorted(Path(nobody.env["GNUPGHOME"], "private-keys-v1.d").iterdir()) == keys


def test_headless_takes_the_key_of_a_killed_run(nobody: Operator) -> None:
    """The key was made, and the store was not there yet."""
    plain(nobody)
    nobody.succeed("setup", "--offline", "--headless", "--yes")
    keys = sorted(Path(nobody.env["GNUPGHOME"], "private-keys-v1.d").iterdir())
    shutil.rmtree(nobody.home / ".password-store")
    plain(nobody)

    nobody.succeed("setup", "--offline", "--headless", "--yes")

    assert sorted(Path(nobody.env["GNUPGHOME"], "private-keys-v1.d").iterdir()) == keys
    assert nobody.helper("auto").get(SERVER).credentials().secret == SECRET


def test_a_dry_run_changes_nothing(nobody: Operator) -> None:
    before = plain(nobody)

    result = nobody.succeed("setup", "--dry-run", "--headless")

    assert result.out.rstrip().endswith("Nothing was changed.")
    assert (nobody.home / ".docker/config.json").read_bytes() == before
    assert sorted(os.listdir(nobody.home)) == [".docker"]
    assert not Path(nobody.env["GNUPGHOME"]).exists()


def test_json_has_the_plan_and_the_diagnosis(keeper: Operator) -> None:
    plain(keeper)

    planned = keeper.succeed("setup", "--dry-run", "--json").json()
    done = keeper.succeed("setup", "--offline", "--yes", "--json").json()

    assert [step["id"] for step in planned["steps"]] == ["store", "copy", "docker"]
    assert planned["servers"] == done["servers"] == [SERVER]
    assert planned["found"]["password_store"] and planned["found"]["plaintext"] == [SERVER]
    assert done["doctor"]["ok"] and not done["dry_run"]


def test_without_a_terminal_it_does_not_begin(keeper: Operator) -> None:
    before = plain(keeper)

    result = keeper.run("setup")

    assert result.code == 1
    assert "there is no terminal to ask whether to go on" in result.err
    assert "credhelpers setup --yes" in result.err
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_a_new_passphrase_needs_a_terminal(nobody: Operator) -> None:
    plain(nobody)

    cause, remedy = nobody.run("setup", "--offline", "--yes").complaint

    assert "no terminal to ask for the passphrase" in cause
    assert remedy.endswith("credhelpers setup --headless --yes")
    assert nobody.run("setup", "--offline", "--headless", "--yes").code == 0


def test_the_passphrase_is_typed_twice_at_most(nobody: Operator) -> None:
    require("pinentry-curses", "pinentry-curses")
    plain(nobody)
    passphrase = "correct horse 1"

    with nobody.at_terminal("setup", "--offline") as terminal:
        terminal.expect("Go on?")
        terminal.type("\n")
        terminal.expect("Passphrase for the new GnuPG key")
        terminal.type(passphrase + "\n")
        terminal.expect("Again")
        terminal.type(passphrase + "\n")
        terminal.expect("0 failed")
        assert terminal.finish() == 0

    assert passphrase not in terminal.shown
    grips = list(Path(nobody.env["GNUPGHOME"], "private-keys-v1.d").glob("*.key"))
    assert grips and all(b"protected-private-key" in path.read_bytes() for path in grips)


def test_the_user_can_decline(keeper: Operator) -> None:
    before = plain(keeper)

    with keeper.at_terminal("setup", "--offline") as terminal:
        terminal.expect("Go on?")
        terminal.type("n\n")
        assert terminal.finish() == 1

    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_a_helper_off_path_is_refused(keeper: Operator) -> None:
    before = plain(keeper)
    lost = keeper.but(PATH="/usr/bin:/bin")

    cause, remedy = lost.run("setup", "--offline", "--yes").complaint

    assert "docker-credential-auto is not on PATH" in cause
    assert remedy == f"export PATH={keeper.bin}:$PATH"
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_a_secret_that_cannot_move_stops_it(keeper: Operator) -> None:
    before = plain(keeper, auths={SERVER: {"auth": auth()}, "token.example": {"registrytoken": SECRET}})

    result = keeper.run("setup", "--offline", "--yes")

    assert result.code == 1
    assert "token.example: no helper keeps a registry token" in result.err
    assert "no client's configuration was changed" in result.err
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_an_old_key_is_found_by_its_host(keeper: Operator) -> None:
    keeper.write(".docker/config.json", json.dumps({"auths": {"https://old.example/v1/": {"auth": auth()}}}))

    keeper.succeed("setup", "--offline", "--yes")

    assert keeper.helper("auto").get("old.example").credentials().secret == SECRET
    assert config(keeper)["auths"] == {"https://old.example/v1/": {}}


def test_a_server_with_its_own_helper_is_left_alone(keeper: Operator, tmp_path: Path) -> None:
    stub_helper(tmp_path / "programs", "own", "echo credentials not found in native keychain; exit 1")
    plain(
        keeper,
        auths={SERVER: {"auth": auth()}, "file.example": {"auth": auth()}},
        credHelpers={"own.example": "own", "file.example": ""},
    )

    keeper.run("setup", "--offline", "--yes")

    assert config(keeper)["credHelpers"] == {"own.example": "own", "file.example": ""}
    assert config(keeper)["auths"] == {SERVER: {}, "file.example": {"auth": auth()}}


def test_a_helper_that_is_gone_is_named(keeper: Operator) -> None:
    plain(keeper, credsStore="desktop")

    result = keeper.run("setup", "--offline", "--yes")

    assert "docker-credential-desktop, which Docker asks now, is not installed" in result.err
    assert config(keeper)["credsStore"] == "auto"


def test_a_locked_helper_stops_it(keeper: Operator, tmp_path: Path) -> None:
    stub_helper(tmp_path / "programs", "locked", "echo the vault is locked; exit 1")
    before = plain(keeper, credsStore="locked")

    result = keeper.run("setup", "--offline", "--yes")

    assert result.code == 1 and "the vault is locked" in result.err
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_another_users_credential_stays(keeper: Operator) -> None:
    assert keeper.helper("pass").store(SERVER, "eve", "other").code == 0
    before = plain(keeper)

    result = keeper.run("setup", "--offline", "--yes")

    assert result.code == 1
    assert f"{SERVER}: auto has another credential for it already" in result.err
    assert "credhelpers migrate --to auto --overwrite" in result.err
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_an_older_password_is_replaced(keeper: Operator) -> None:
    assert keeper.helper("pass").store(SERVER, "ada", "older").code == 0
    plain(keeper)

    keeper.succeed("setup", "--offline", "--yes")

    assert keeper.helper("auto").get(SERVER).credentials().secret == SECRET


def test_a_keyring_is_taken_where_there_is_one(nobody: Operator, secret_service: SecretService) -> None:
    user = nobody.but(**secret_service.env)
    plain(user)

    user.succeed("setup", "--offline", "--yes")

    assert [item.secret for item in secret_service.items()] == [SECRET.encode()]
    assert not Path(user.env["GNUPGHOME"]).exists()


def test_headless_takes_no_keyring(nobody: Operator, secret_service: SecretService) -> None:
    user = nobody.but(**secret_service.env)
    plain(user)

    user.succeed("setup", "--offline", "--headless", "--yes")

    assert secret_service.items() == []
    assert user.helper("pass").get(SERVER).credentials().secret == SECRET


def test_the_keyring_of_auto_stays_the_store(nobody: Operator, secret_service: SecretService) -> None:
    user = nobody.but(**secret_service.env)
    user.write(".docker/config.json", '{"credsStore": "auto"}')
    assert user.helper("auto").store(SERVER, "ada", SECRET).code == 0

    user.succeed("setup", "--offline", "--headless", "--yes")

    assert user.helper("auto").get(SERVER).credentials().secret == SECRET


def test_podman_and_nomad_are_set_up(keeper: Operator, tmp_path: Path) -> None:
    keeper.write(".docker/config.json", "{}")
    keeper.write(".config/containers/auth.json", json.dumps({"auths": {"quay.example": {"auth": auth()}}}))
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    nomad.mkdir()

    result = keeper.run("setup", "--offline", "--yes", *_places(nomad, system))

    assert "restart the Nomad client" in result.out
    assert 'helper = "auto"' in (nomad / "credhelpers.hcl").read_text()
    assert system.read_text() == 'not_found = "empty"\n'
    containers = keeper.home / ".config/containers"
    assert (
        '["auto", "containers-auth.json"]'
        in (containers / "registries.conf.d/50-credhelpers.conf").read_text()
    )
    assert json.loads((containers / "auth.json").read_text()) == {"auths": {"quay.example": {}}}
    assert keeper.helper("auto").get("quay.example").credentials().secret == SECRET


def test_podman_asks_by_registry_for_remote_clients(keeper: Operator) -> None:
    """The remote client of podman cannot take the list that Docker Hub's key is in."""
    plain(keeper, auths={HUB: {"auth": auth()}})
    keeper.succeed("setup", "--offline", "--yes", "--podman")
    (Path(keeper.env["PATH"].split(":")[-1]) / "skopeo").symlink_to("/bin/true")
    (Path(keeper.env["PATH"].split(":")[-1]) / "mkdir").symlink_to("/bin/mkdir")
    report = json.loads(keeper.run("doctor", "--json", "--offline", "--client", "podman").out)
    (found,) = [each for each in report["findings"] if each["id"] == "podman-helpers.list-keys"]

    command = found["remedy"].removeprefix("if you use it: ")
    subprocess.run(["/bin/sh", "-ec", command], env=keeper.env, check=True)

    containers = keeper.home / ".config/containers"
    assert json.loads((containers / "auth.json").read_text()) == {"credHelpers": {"docker.io": "auto"}}
    assert not (containers / "registries.conf.d/50-credhelpers.conf").exists()
    report = json.loads(keeper.run("doctor", "--json", "--offline", "--client", "podman").out)
    assert not [each for each in report["findings"] if each["id"] == "podman-helpers.list-keys"]


def test_a_repositorys_own_credential_stops_podman(keeper: Operator) -> None:
    keeper.write(
        ".config/containers/auth.json", json.dumps({"auths": {"quay.example/team": {"auth": auth()}}})
    )

    cause, remedy = keeper.run("setup", "--offline", "--yes").complaint

    assert "quay.example/team" in cause and "--no-podman" in remedy
    keeper.succeed("setup", "--offline", "--yes", "--no-podman")


def test_podman_with_another_credential_is_refused(keeper: Operator) -> None:
    before = plain(keeper)
    keeper.write(
        ".config/containers/auth.json", json.dumps({"auths": {SERVER: {"auth": auth("ada", "other")}}})
    )

    result = keeper.run("setup", "--offline", "--yes")

    assert result.code == 1 and "Docker and podman have different credentials" in result.err
    assert (keeper.home / ".docker/config.json").read_bytes() == before


def test_anothers_stanza_is_named(keeper: Operator, tmp_path: Path) -> None:
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    nomad.mkdir()
    (nomad / "client.hcl").write_text('plugin "docker" {\n  config {\n  }\n}\n')

    result = keeper.run("setup", "--offline", "--yes", *_places(nomad, system))

    assert 'put auth { helper = "auto" } into its config block' in result.err
    assert not (nomad / "credhelpers.hcl").exists()


def test_another_store_can_be_named(keeper: Operator, tmp_path: Path) -> None:
    (tmp_path / "stub").mkdir()
    stub_helper(tmp_path / "programs", "stub", FILE_STORE)
    plain(keeper)

    keeper.but(STUB=str(tmp_path / "stub")).succeed("setup", "--offline", "--yes", "--store", "stub")

    assert config(keeper)["credsStore"] == "stub"
    assert [path.name for path in (tmp_path / "stub").iterdir()] == [SERVER]


def test_force_belongs_to_undo(keeper: Operator) -> None:
    assert keeper.run("setup", "--force").code == 2


def _places(nomad: Path, system: Path) -> tuple[str, ...]:
    return ("--nomad-dir", str(nomad), "--system-config", str(system))

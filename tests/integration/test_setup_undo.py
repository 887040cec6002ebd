"""`credhelpers setup --undo`: a configuration that works, whatever has happened since."""

import base64
import json
from pathlib import Path

import pytest

from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.client import Helper
from tests.support.resolution import as_docker

SECRET = "canary-5ecret"
SERVER = "registry.example:5000"
AUTH = base64.b64encode(f"ada:{SECRET}".encode()).decode()
PLAIN = json.dumps({"auths": {SERVER: {"auth": AUTH}}}, indent="\t")


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str], tmp_path: Path) -> DockerHome:
    """A user with an empty password store, and another store, ``docker-credential-stub``."""
    (tmp_path / "stub").mkdir()
    stub_helper(tmp_path / "bin", "stub", FILE_STORE)
    env = {**password_store_env, "PATH": f"{tmp_path / 'bin'}:{installed}:/usr/bin:/bin"}
    return DockerHome({**env, "STUB": str(tmp_path / "stub")}, installed / "credhelpers")


def set_up(home: DockerHome, *more: str) -> str:
    return home.succeed("setup", "--offline", "--yes", "--no-podman", *more)


def helper(home: DockerHome, name: str) -> Helper:
    path = Path(home.env["PATH"].partition(":")[0]) if name == "stub" else home.command.parent
    return Helper(path / f"docker-credential-{name}", home.env)


def config(home: DockerHome) -> dict[str, object]:
    content: dict[str, object] = json.loads(home.config.read_text())
    return content


def secret(home: DockerHome, server: str = SERVER) -> str:
    """Return what Docker sends to a registry."""
    found = as_docker(home.config, server, home.env)
    return found.secret if found else ""


def test_what_was_in_plain_text_stays_in_the_store(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)

    answer = home.run("setup", "--undo")

    assert answer.code == 0
    assert f"the credentials of {SERVER} are in auto".encode() in answer.err
    assert b"still names for this server" in answer.err
    assert f"credhelpers logout {SERVER}".encode() in answer.err
    assert config(home) == {"auths": {SERVER: {}}, "credHelpers": {SERVER: "auto"}}
    assert secret(home) == SECRET


def test_force_restores_exactly_and_warns(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)

    answer = home.run("setup", "--undo", "--force")

    assert f"docker login {SERVER}".encode() in answer.err
    assert config(home) == {"auths": {SERVER: {}}}
    assert helper(home, "pass").get(SERVER).credentials().secret == SECRET


def test_the_former_helper_is_asked_again(home: DockerHome) -> None:
    before = home.write('{\n  "credsStore": "stub",\n  "x": [1]\n}\n')
    assert helper(home, "stub").store(SERVER, "ada", SECRET).code == 0
    set_up(home)
    assert config(home)["credsStore"] == "auto"

    answer = home.run("setup", "--undo")

    assert answer.code == 0 and answer.err == b""
    assert home.config.read_bytes() == before
    assert secret(home) == SECRET


def test_a_later_login_goes_back_too(home: DockerHome) -> None:
    home.write('{"credsStore": "stub"}')
    set_up(home)
    assert helper(home, "auto").store("new.example", "ada", SECRET).code == 0
    home.write('{"credsStore": "auto", "auths": {"new.example": {}}, "hand": "edited"}')

    answer = home.run("setup", "--undo")

    assert b"copied back into stub: new.example" in answer.out
    assert config(home) == {"credsStore": "stub", "auths": {"new.example": {}}, "hand": "edited"}
    assert secret(home, "new.example") == SECRET


def test_a_newer_password_goes_back_too(home: DockerHome) -> None:
    home.write('{"credsStore": "stub"}')
    assert helper(home, "stub").store(SERVER, "ada", "older").code == 0
    set_up(home)
    assert helper(home, "auto").store(SERVER, "ada", SECRET).code == 0

    home.succeed("setup", "--undo")

    assert config(home)["credsStore"] == "stub"
    assert secret(home) == SECRET


def test_a_former_helper_that_is_gone(home: DockerHome) -> None:
    home.write(json.dumps({"credsStore": "stub", "auths": {SERVER: {}}}))
    assert helper(home, "stub").store(SERVER, "ada", SECRET).code == 0
    set_up(home)
    helper(home, "stub").executable.unlink()

    answer = home.run("setup", "--undo")

    assert answer.code == 0
    assert config(home)["credHelpers"] == {SERVER: "auto"}
    assert secret(home) == SECRET


def test_a_former_helper_that_fails(home: DockerHome, tmp_path: Path) -> None:
    home.write('{"credsStore": "stub"}')
    assert helper(home, "stub").store(SERVER, "ada", SECRET).code == 0
    set_up(home)
    stub_helper(tmp_path / "bin", "stub", "echo out of order; exit 1")

    home.succeed("setup", "--undo")

    assert config(home)["credHelpers"] == {SERVER: "auto"}
    assert secret(home) == SECRET


def test_a_store_named_by_hand_stays(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)
    home.write('{"credsStore": "pass", "auths": {}}')

    assert "was edited since, and stays" in home.succeed("setup", "--undo")

    assert config(home) == {"credsStore": "pass", "auths": {}}
    assert secret(home) == SECRET


def test_a_helper_added_by_hand_stays(home: DockerHome) -> None:
    home.write('{"credsStore": "stub", "credHelpers": {"a.example": "stub"}}')
    set_up(home)
    home.write('{"credsStore": "auto", "credHelpers": {"b.example": "ecr-login"}}')

    home.succeed("setup", "--undo")

    assert config(home) == {"credsStore": "stub", "credHelpers": {"b.example": "ecr-login"}}


def test_undo_after_configure(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)
    home.succeed("configure", "--ecr", "public.ecr.aws")

    home.succeed("setup", "--undo")

    assert config(home)["credHelpers"] == {"public.ecr.aws": "ecr-login", SERVER: "auto"}
    assert "credsStore" not in config(home)


def test_undo_after_two_runs(home: DockerHome) -> None:
    home.write('{"credsStore": "stub"}')
    set_up(home, "--store", "pass")
    set_up(home, "--store", "auto")

    home.succeed("setup", "--undo")

    assert config(home) == {"credsStore": "stub"}


def test_a_new_file_goes(home: DockerHome) -> None:
    set_up(home)

    home.succeed("setup", "--undo")

    assert not home.config.exists()
    assert "Nothing to undo" in home.succeed("setup", "--undo")


def test_a_dry_run_of_undo_changes_nothing(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)
    before = home.config.read_bytes()

    assert "would be restored" in home.succeed("setup", "--undo", "--dry-run")

    assert home.config.read_bytes() == before
    home.succeed("setup", "--undo")
    assert home.config.read_bytes() != before


def test_undo_reports_in_json(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)

    report = json.loads(home.run("setup", "--undo", "--json").out)

    assert report["undone"] == [str(home.config)]
    assert report["kept"] == {str(home.config): [SERVER]}


def test_setup_after_undo(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)
    home.succeed("setup", "--undo")

    set_up(home)

    assert config(home)["credsStore"] == "auto"
    assert secret(home) == SECRET


def test_undo_of_podman_keeps_its_logins(home: DockerHome) -> None:
    auths = Path(home.env["HOME"], ".config/containers/auth.json")
    auths.parent.mkdir(parents=True)
    auths.write_text(PLAIN)
    home.succeed("setup", "--offline", "--yes", "--podman")
    own = auths.parent / "registries.conf.d/50-credhelpers.conf"
    assert own.exists()

    home.succeed("setup", "--undo")

    assert not own.exists()
    assert json.loads(auths.read_text()) == {"auths": {SERVER: {}}, "credHelpers": {SERVER: "auto"}}


def test_undo_of_nomad(home: DockerHome, tmp_path: Path) -> None:
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    system.write_text('# mine\nnot_found = "error"\n\n[log]\nlevel = "info"\n')
    before = system.read_bytes()
    places = ("--nomad-dir", str(nomad), "--system-config", str(system))
    home.write(PLAIN)
    set_up(home, *places)

    kept = home.run("setup", "--undo", *places)
    assert b"tasks of Nomad may need the credentials" in kept.err
    assert (nomad / "credhelpers.hcl").exists() and system.read_bytes() != before

    home.succeed("setup", "--undo", "--force", *places)
    assert not (nomad / "credhelpers.hcl").exists()
    assert system.read_bytes() == before


def test_a_damaged_record_is_named(home: DockerHome) -> None:
    home.write(PLAIN)
    set_up(home)
    home.config.with_name("config.json.credhelpers-setup").write_text("?")

    assert "config.json.credhelpers-setup is damaged" in home.fail("setup", "--undo")


def test_undo_killed_at_any_step(home: DockerHome) -> None:
    home.write('{"credsStore": "stub"}')
    assert helper(home, "stub").store(SERVER, "ada", SECRET).code == 0
    set_up(home)
    before = {path: path.read_bytes() for path in home.config.parent.iterdir()}
    count = home.steps("setup", "--undo")
    wanted = home.config.read_bytes()
    for step in range(1, count + 1):
        for path, content in before.items():
            path.write_bytes(content)
        home.is_killed(step, "before", "setup", "--undo")
        assert secret(home) == SECRET, step
        home.steps("setup", "--undo")
        assert home.config.read_bytes() == wanted, step
        assert not home.config.with_name("config.json.credhelpers-setup").exists()

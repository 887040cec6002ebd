"""`credhelpers migrate`: nothing is lost when it is killed; tests/stories/migrate tells the rest."""

import base64
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.client import Helper

HUB = "https://index.docker.io/v1/"


def _auth(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with an empty password store, and logged in to three registries in plain text."""
    home = DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    auths = {
        "r.example:5000": {"auth": _auth("ada", f"{CANARY}:1"), "email": "ada@example"},
        HUB: {"auth": _auth("hub", "old"), "identitytoken": f"{CANARY}2"},
        "clear.example": {"username": "eve", "password": f"{CANARY}3"},
    }
    home.write(json.dumps({"psFormat": "x", "auths": auths}, indent="\t") + "\n")
    return home


@pytest.fixture
def stub(home: DockerHome, tmp_path: Path) -> Path:
    """The directory of a store in plain sh, ``docker-credential-stub``."""
    directory = tmp_path / "stub"
    directory.mkdir()
    stub_helper(tmp_path / "bin", "stub", FILE_STORE)
    home.env["PATH"] = f"{tmp_path / 'bin'}:{home.env['PATH']}"
    home.env["STUB"] = str(directory)
    return directory


def _helper(home: DockerHome, name: str) -> Helper:
    return Helper(home.command.with_name(f"docker-credential-{name}"), home.env)


def _config(home: DockerHome) -> dict[str, object]:
    config: dict[str, object] = json.loads(home.config.read_text())
    return config


def test_a_bar_shows_only_on_a_terminal(home: DockerHome) -> None:
    assert b"Moving" not in home.run("migrate", "--to", "pass").err
    auths = {f"r{number}.example": {"auth": "YTpi"} for number in range(3)}
    home.write(json.dumps({"auths": auths}))
    home.env["NO_COLOR"] = "1"

    shown = home.show("migrate", "--to", "pass")

    assert b"Moving" in shown and b"\x1b[3" not in shown


def test_many_entries_are_emptied_at_once(home: DockerHome, stub: Path) -> None:
    entries = {f"r{number}.example": {"auth": "YTpi"} for number in range(40)}
    kept: dict[str, object] = {f"k{number}.example": {"email": "x" * 60} for number in range(60_000)}
    assert len(home.write(json.dumps({"credsStore": "stub", "auths": {**kept, **entries}}))) > 5_000_000

    home.succeed("migrate")

    assert _config(home)["auths"] == {**kept, **{server: {} for server in entries}}
    assert len(os.listdir(stub)) == len(entries)


def test_killed_at_any_step(home: DockerHome, stub: Path) -> None:
    before = home.config.read_bytes()
    count = home.steps("migrate", "--to", "stub")
    wanted = home.config.read_bytes()
    moved = {path.name: path.read_bytes() for path in stub.iterdir()}
    assert len(moved) == 3 and count > 12
    for step in range(1, count + 1):
        for moment in ("before", "after"):
            for path in stub.iterdir():
                path.unlink()
            home.write(before)
            home.is_killed(step, moment, "migrate", "--to", "stub")
            now = home.config.read_bytes()
            assert now == before or (now, _contents(stub)) == (wanted, moved), (step, moment)
            home.steps("migrate", "--to", "stub")
            assert (home.config.read_bytes(), _contents(stub)) == (wanted, moved)
            assert home.litter() == []


def test_killed_at_any_step_between_helpers(home: DockerHome, stub: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stub_helper(tmp_path / "bin", "other", f"STUB={other}\n{FILE_STORE}")
    credentials = {
        server: json.dumps({"ServerURL": server, "Username": "ada", "Secret": server})
        for server in ("a", "b")
    }
    arguments = ("migrate", "--from", "stub", "--to", "other")

    def start_again() -> None:
        home.write('{"credsStore": "stub"}')
        for path in other.iterdir():
            path.unlink()
        for server, content in credentials.items():
            (stub / server).write_text(content)

    start_again()
    count = home.steps(*arguments)
    assert sorted(os.listdir(other)) == ["a", "b"] and os.listdir(stub) == []
    for step in range(1, count + 1):
        start_again()
        home.is_killed(step, "after" if step % 2 else "before", *arguments)
        asked = Helper(tmp_path / "bin" / f"docker-credential-{_config(home)['credsStore']}", home.env)
        for server in credentials:
            assert asked.get(server).value()["Secret"] == server, (step, server)
        home.steps(*arguments)
        assert sorted(os.listdir(other)) == ["a", "b"] and os.listdir(stub) == []


def test_killed_at_any_time_with_a_real_store(home: DockerHome) -> None:
    before = home.config.read_bytes()
    store = _helper(home, "pass")
    secrets = {"r.example:5000": f"{CANARY}:1", HUB: f"{CANARY}2", "clear.example": f"{CANARY}3"}
    folder = Path(home.env["HOME"], ".password-store", "docker-credential-helpers")
    points = 12
    for point in range(points):
        shutil.rmtree(folder, ignore_errors=True)
        home.write(before)
        with subprocess.Popen(
            [str(home.command), "migrate", "--to", "pass"],
            env=home.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                process.wait(0.1 + 0.9 * point / points)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        if home.config.read_bytes() != before:
            assert {server: store.get(server).value()["Secret"] for server in secrets} == secrets
        home.steps("migrate", "--to", "pass")
        assert {server: store.get(server).value()["Secret"] for server in secrets} == secrets
        assert CANARY not in home.config.read_text() and home.litter() == []


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("secret", ["p\u00e4ssw\u00f6rd", " blank ", "x" * 100_000])
def test_unusual_secrets_are_moved(home: DockerHome, secret: str) -> None:
    secrets = {"a.example": "first", "b.example": secret, "c.example": "third"}
    auths = {server: {"auth": _auth("ada", text)} for server, text in secrets.items()}
    home.write(json.dumps({"auths": auths}))

    home.succeed("migrate", "--to", "pass")

    store = _helper(home, "pass")
    assert {server: store.get(server).value()["Secret"] for server in secrets} == secrets
    log = Path(home.env["HOME"], ".ecr", "log", "pass.log").read_text()
    assert all(f"serverURL={server}" in log for server in secrets)


def test_an_error_has_the_executables_words(home: DockerHome) -> None:
    home.write(json.dumps({"auths": {"a\u0001.example": {"auth": _auth("ada", "x")}}}))

    assert "the server URL contains a control character" in home.fail("migrate", "--to", "pass")

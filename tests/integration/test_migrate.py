"""`credhelpers migrate` as a process: out of config.json and the reference helpers, into real stores."""

import base64
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY, traces_of_canary
from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.client import Answer, Helper
from tests.support.keyring import SecretService
from tests.support.tools import require

HUB = "https://index.docker.io/v1/"
REFERENCE = "golang-docker-credential-helpers"


def _auth(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


def _home(installed: Path, env: dict[str, str]) -> DockerHome:
    return DockerHome({**env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with an empty password store, and logged in to three registries in plain text."""
    home = _home(installed, password_store_env)
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


def _reference(name: str, env: dict[str, str]) -> Helper:
    return Helper(Path(require(f"docker-credential-{name}", REFERENCE)), env)


def _config(home: DockerHome) -> dict[str, object]:
    config: dict[str, object] = json.loads(home.config.read_text())
    return config


def _assert_no_secret(answer: Answer) -> None:
    for trace in traces_of_canary():
        assert trace not in answer.out + answer.err, answer


def test_secrets_move_into_the_password_store_and_docker_is_told(home: DockerHome) -> None:
    answer = home.run("migrate", "--to", "pass")

    assert answer.code == 0 and b"3 moved to pass, 0 failed." in answer.out, answer
    _assert_no_secret(answer)
    for helper in (_helper(home, "pass"), _reference("pass", home.env)):
        assert helper.get("r.example:5000").value()["Secret"] == f"{CANARY}:1"
        assert helper.get(HUB).value() == {"ServerURL": HUB, "Username": "<token>", "Secret": f"{CANARY}2"}
        assert helper.get("clear.example").value()["Username"] == "eve"
    assert home.config.read_text() == (
        '{\n\t"psFormat": "x",\n\t"auths": {\n\t\t"r.example:5000": {\n\t\t\t"email": "ada@example"\n\t\t},\n'
        f'\t\t"{HUB}": {{}},\n\t\t"clear.example": {{}}\n\t}},\n\t"credsStore": "pass"\n}}\n'
    )


def test_a_second_run_has_nothing_to_move(home: DockerHome) -> None:
    home.succeed("migrate", "--to", "pass")
    before = home.config.stat()

    assert "Nothing to move" in home.succeed("migrate")

    assert home.config.stat().st_mtime_ns == before.st_mtime_ns


def test_the_store_is_the_configured_one_and_no_file_keeps_a_secret(home: DockerHome) -> None:
    home.succeed("configure", "--store", "pass")

    home.succeed("migrate")

    assert _helper(home, "pass").stored().keys() == {"r.example:5000", HUB, "clear.example"}
    for path in home.config.parent.iterdir():
        assert all(trace not in path.read_bytes() for trace in traces_of_canary()), path


def test_a_dry_run_moves_nothing(home: DockerHome) -> None:
    before = home.config.read_bytes()

    told = home.succeed("migrate", "--to", "pass", "--dry-run")

    assert "would move r.example:5000  ada  password" in told and CANARY not in told
    assert home.config.read_bytes() == before
    assert _helper(home, "pass").stored() == {}


def test_the_report_is_json_when_asked_for(home: DockerHome) -> None:
    report = json.loads(home.succeed("migrate", "--to", "pass", "--json"))

    assert [entry["server"] for entry in report["moved"]] == ["r.example:5000", HUB, "clear.example"]
    assert (report["to"], report["failed"], report["removed"]) == ("pass", [], True)


def test_it_moves_into_the_keyring(installed: Path, secret_service_env: dict[str, str]) -> None:
    home = _home(installed, secret_service_env)
    home.write(json.dumps({"auths": {"r.example": {"auth": _auth("ada", "secret")}}}))

    home.succeed("migrate", "--to", "keyring")

    assert _reference("secretservice", home.env).get("r.example").value()["Secret"] == "secret"


def test_all_of_the_reference_keyring_helper_moves_into_the_password_store(
    installed: Path, password_store_env: dict[str, str], secret_service: SecretService
) -> None:
    home = _home(installed, {**password_store_env, **secret_service.env})
    source = _reference("secretservice", home.env)
    credentials = {
        "r.example": ("ada", "s1"),
        HUB: ("<token>", "s2"),
        "https://u.example/v2/": ("bob", "s3 ü"),
    }
    for server, (username, secret) in credentials.items():
        assert source.store(server, username, secret).code == 0
    home.write('{"credsStore": "secretservice", "auths": {"r.example": {}}}')

    told = home.succeed("migrate", "--from", "secretservice", "--to", "pass")

    assert "3 moved to pass, 0 failed." in told
    for server, (username, secret) in credentials.items():
        value = _helper(home, "pass").get(server).value()
        assert (value["Username"], value["Secret"]) == (username, secret)
    assert secret_service.items() == []
    assert _config(home) == {"credsStore": "pass", "auths": {server: {} for server in credentials}}


def test_all_of_the_reference_password_store_helper_moves_into_the_keyring(
    installed: Path, password_store_env: dict[str, str], secret_service: SecretService, tmp_path: Path
) -> None:
    reference = require("docker-credential-pass", REFERENCE)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker-credential-refpass").symlink_to(reference)
    home = _home(installed, {**password_store_env, **secret_service.env})
    home.env["PATH"] = f"{home.env['PATH']}:{tmp_path / 'bin'}"
    source = Helper(Path(reference), home.env)
    assert source.store("r.example", "ada", "secret").code == 0

    home.succeed("migrate", "--from", "refpass", "--to", "keyring")

    assert source.stored() == {}
    assert _helper(home, "keyring").get("r.example").value()["Secret"] == "secret"


def test_two_helpers_of_one_keyring_keep_what_they_share(
    installed: Path, secret_service_env: dict[str, str]
) -> None:
    home = _home(installed, secret_service_env)
    source = _reference("secretservice", home.env)
    source.store("r.example", "ada", "secret")

    told = home.succeed("migrate", "--from", "secretservice", "--to", "keyring")

    assert "stay in secretservice, which is the same store" in told
    assert _helper(home, "keyring").get("r.example").value()["Secret"] == "secret"
    assert _helper(home, "keyring").stored() == {"r.example": "ada"}
    assert _config(home)["credsStore"] == "keyring"


def test_the_auto_helper_and_its_default_store_keep_what_they_share(home: DockerHome) -> None:
    home.succeed("migrate", "--to", "pass")
    before = _helper(home, "pass").stored()

    told = home.succeed("migrate", "--from", "pass", "--to", "auto")

    assert "stay in pass, which is the same store" in told
    assert _helper(home, "auto").stored() == before


def test_what_cannot_be_moved_is_named_and_everything_stays_until_it_can(home: DockerHome) -> None:
    config = _config(home)
    assert isinstance(config["auths"], dict)
    config["auths"] |= {"bad.example": {"auth": "%%"}, "token.example": {"registrytoken": CANARY}}
    before = home.write(json.dumps(config))

    answer = home.run("migrate", "--to", "pass")

    assert answer.code == 1
    assert b"bad.example: its auth is not base64" in answer.err
    assert b"token.example: no helper keeps a registry token" in answer.err
    assert b"nothing was removed" in answer.out
    _assert_no_secret(answer)
    assert home.config.read_bytes() == before


def test_with_the_store_in_use_already_only_what_failed_stays(home: DockerHome) -> None:
    config = _config(home)
    assert isinstance(config["auths"], dict)
    config["auths"]["token.example"] = {"registrytoken": "rt"}
    home.write(json.dumps({**config, "credsStore": "pass"}))

    answer = home.run("migrate")

    assert answer.code == 1 and b"3 moved to pass, 1 failed." in answer.out
    auths = _config(home)["auths"]
    assert isinstance(auths, dict) and auths["token.example"] == {"registrytoken": "rt"} and auths[HUB] == {}


def test_another_secret_in_the_store_is_not_overwritten_unless_told_so(home: DockerHome) -> None:
    store = _helper(home, "pass")
    store.store("r.example:5000", "ada", "newer")
    before = home.config.read_bytes()

    told = home.run("migrate", "--to", "pass").err.decode()

    assert "r.example:5000: the store has another credential for it" in told
    assert store.get("r.example:5000").value()["Secret"] == "newer"
    assert home.config.read_bytes() == before
    home.succeed("migrate", "--to", "pass", "--overwrite")
    assert store.get("r.example:5000").value()["Secret"] == f"{CANARY}:1"


def test_a_store_that_does_not_give_back_what_it_got_loses_nothing(home: DockerHome, stub: Path) -> None:
    before = home.config.read_bytes()
    home.env["HOOK"] = '[ "$1" != store ] || { cat >/dev/null; exit 0; }'

    answer = home.run("migrate", "--to", "stub")

    assert answer.code == 1
    assert answer.err.count(b"the store does not return what was stored") == 3
    assert home.config.read_bytes() == before and os.listdir(stub) == []


def test_a_source_that_does_not_erase_is_told(home: DockerHome, stub: Path) -> None:
    home.write("{}")
    (stub / "r.example").write_text('{"ServerURL":"r.example","Username":"ada","Secret":"s"}')
    home.env["HOOK"] = '[ "$1" != erase ] || { echo not implemented; exit 1; }'

    answer = home.run("migrate", "--from", "stub", "--to", "pass")

    assert answer.code == 1 and b"r.example: it is in the store, but its old helper" in answer.err
    assert _helper(home, "pass").get("r.example").value()["Secret"] == "s"


def test_an_entry_with_half_a_surrogate_pair_is_named_and_the_rest_is_moved(
    home: DockerHome, tmp_path: Path
) -> None:
    home.write("{}")
    credential = '{"ServerURL":"good.example","Username":"ada","Secret":"s"}'
    listed = '{"r\\\\ud800.example":"a","good.example":"ada"}'
    script = f"case $1 in list) printf '{listed}';; get) printf '{credential}';; esac"
    stub_helper(tmp_path / "bin", "halves", script)
    home.env["PATH"] = f"{tmp_path / 'bin'}:{home.env['PATH']}"

    answer = home.run("migrate", "--from", "halves", "--to", "pass")

    assert b"r\\ud800.example is not listed: the server URL is not valid Unicode" in answer.err, answer
    assert _helper(home, "pass").get("good.example").value()["Secret"] == "s"


def test_who_logs_in_meanwhile_keeps_the_new_secret(home: DockerHome, stub: Path) -> None:
    newer = json.dumps(
        {"auths": {"r.example:5000": {"auth": _auth("ada", "newer")}, "n.example": {"auth": "YTpi"}}}
    )
    home.env["HOOK"] = f"""[ "$1" != store ] || printf %s '{newer}' >"$HOME/.docker/config.json" """

    answer = home.run("migrate", "--to", "stub")

    assert answer.code == 1 and b"r.example:5000: another secret was written meanwhile" in answer.err
    auths = _config(home)["auths"]
    assert isinstance(auths, dict)
    assert (auths["r.example:5000"], auths["n.example"]) == (
        {"auth": _auth("ada", "newer")},
        {"auth": "YTpi"},
    )


def test_a_locked_or_missing_store_is_told_and_nothing_changes(home: DockerHome) -> None:
    before = home.config.read_bytes()
    Path(home.env["HOME"], ".password-store", ".gpg-id").unlink()

    answer = home.run("migrate", "--to", "pass")

    assert (
        answer.code == 1 and b"credhelpers: r.example:5000: docker-credential-pass: there is no" in answer.err
    )
    assert all(line.startswith(b"credhelpers: ") for line in answer.err.splitlines()), answer
    assert "docker-credential-absent is not on PATH" in home.fail("migrate", "--to", "absent")
    assert home.config.read_bytes() == before


def test_a_read_only_configuration_keeps_its_secrets(home: DockerHome) -> None:
    home.config.chmod(0o444)
    before = home.config.read_bytes()

    assert "is read-only" in home.fail("migrate", "--to", "pass")

    assert home.config.read_bytes() == before


@pytest.mark.parametrize("arguments", [(), ("--from", "pass", "--to", "pass"), ("--to", "a/b")])
def test_wrong_usage_has_its_own_exit_status(home: DockerHome, arguments: tuple[str, ...]) -> None:
    assert home.run("migrate", *arguments).code == 2


def test_a_bar_shows_only_on_a_terminal(home: DockerHome) -> None:
    assert b"Moving" not in home.run("migrate", "--to", "pass").err
    auths = {f"r{number}.example": {"auth": "YTpi"} for number in range(3)}
    home.write(json.dumps({"auths": auths}))
    home.env["NO_COLOR"] = "1"

    shown = home.show("migrate", "--to", "pass")

    assert b"Moving" in shown and b"\x1b[3" not in shown


def test_a_thousand_entries_in_the_file_are_emptied_at_once(home: DockerHome, stub: Path) -> None:
    entries = {f"r{number}.example": {"auth": "YTpi"} for number in range(40)}
    kept: dict[str, object] = {f"k{number}.example": {"email": "x" * 60} for number in range(60_000)}
    assert len(home.write(json.dumps({"credsStore": "stub", "auths": {**kept, **entries}}))) > 5_000_000

    home.succeed("migrate")

    assert _config(home)["auths"] == {**kept, **{server: {} for server in entries}}
    assert len(os.listdir(stub)) == len(entries)


def test_nothing_is_lost_when_it_is_killed_at_any_step(home: DockerHome, stub: Path) -> None:
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


def test_nothing_is_lost_between_two_helpers_when_it_is_killed_at_any_step(
    home: DockerHome, stub: Path, tmp_path: Path
) -> None:
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


def test_nothing_is_lost_when_it_is_killed_at_any_time_with_a_real_store(home: DockerHome) -> None:
    before = home.config.read_bytes()
    store = _helper(home, "pass")
    secrets = {"r.example:5000": f"{CANARY}:1", HUB: f"{CANARY}2", "clear.example": f"{CANARY}3"}
    points = 12
    for point in range(points):
        for server in secrets:
            store.erase(server)
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
        home.succeed("migrate", "--to", "pass")
        assert {server: store.get(server).value()["Secret"] for server in secrets} == secrets
        assert CANARY not in home.config.read_text() and home.litter() == []


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}

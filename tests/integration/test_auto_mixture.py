"""One ``"credsStore": "auto"`` over ECR, a password store, and other people's helpers, good and bad."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker.auth
import docker.errors
import pytest

from tests.conformance.canary import CANARY, WatchedHelper
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Aws, failing
from tests.support.client import NOT_FOUND, Credentials, Helper

HUB = "https://index.docker.io/v1/"
PRIVATE = "registry.example:5000"
STUBBED, BROKEN, HANGING, ABSENT = (f"{name}.example" for name in ("stubbed", "broken", "hanging", "absent"))
CONFIG = """
[auto]
default = "pass"
helper_seconds = 2

[[auto.route]]
match = "*.example:5000/team-a/*"
helper = "pass"
as = "registry.example:5000#team-a"
[[auto.route]]
match = "mirror.example"
helper = "pass"
as = "https://index.docker.io/v1/"
[[auto.route]]
match = "stubbed.example"
helper = "stub"
[[auto.route]]
match = "broken.example"
helper = "broken"
[[auto.route]]
match = "absent.example"
helper = "absent"
"""
HANGS = """
[[auto.route]]
match = "hanging.example"
helper = "hanging"
"""
STUB = """
case $1 in
get) printf '{"ServerURL":"x","Username":"stub","Secret":"of %s"}' "$(cat)" ;;
list) echo '{"stubbed.example":"stub","elsewhere.example":"stub"}' ;;
*) echo not implemented; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A user whose docker knows one store, auto; and that store, and those behind it."""

    auto: Helper
    password_store: Helper
    aws: Aws

    @property
    def home(self) -> Path:
        """The user's home."""
        return Path(self.auto.env["HOME"])

    @property
    def log(self) -> str:
        """All that the helper has logged."""
        return (self.home / ".ecr/log/auto.log").read_text()

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.home / ".config/credhelpers/config.toml").write_text(text)

    def docker_config(self) -> docker.auth.AuthConfig:
        """Read config.json as docker-py does, which then asks the helper that it names."""
        return docker.auth.load_config(str(self.home / ".docker/config.json"), credstore_env=self.auto.env)


@pytest.fixture
def machine(
    installed: Path,
    password_store_env: dict[str, str],
    aws: Aws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Machine]:
    others = tmp_path / "others"
    others.mkdir()
    env = {**password_store_env, **aws.environment(), "PATH": f"{others}:{installed}:/usr/bin:/bin"}
    install(others, "stub", STUB)
    install(others, "broken", "echo this helper is broken; echo see its manual >&2; exit 3")
    install(others, "hanging", "exec sleep 300")
    auto = WatchedHelper(installed / "docker-credential-auto", env)
    machine = Machine(auto, Helper(installed / "docker-credential-pass", env), aws)
    (machine.home / ".config/credhelpers").mkdir(parents=True)
    machine.configure(CONFIG)
    (machine.home / ".docker").mkdir()
    (machine.home / ".docker/config.json").write_text(json.dumps({"credsStore": "auto"}))
    monkeypatch.setenv("PATH", env["PATH"])  # docker-py looks for helpers there
    yield machine
    auto.assert_no_secret_was_shown()


def install(directory: Path, name: str, script: str) -> Path:
    executable = directory / f"docker-credential-{name}"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return executable


def test_each_server_is_answered_by_its_own_store(machine: Machine) -> None:
    assert machine.auto.store(PRIVATE, "robot", CANARY).code == 0
    assert machine.password_store.get(PRIVATE).credentials().secret == CANARY

    assert machine.auto.get(HOST).credentials() == Credentials(HOST, "AWS", PASSWORD)
    assert machine.auto.get(PRIVATE).credentials() == Credentials(PRIVATE, "robot", CANARY)
    assert machine.auto.get(STUBBED).credentials() == Credentials(STUBBED, "stub", f"of {STUBBED}")
    assert machine.auto.get("public.example").out.strip() == NOT_FOUND


def test_docker_py_gets_along_with_all_of_them(machine: Machine) -> None:
    machine.auto.store(PRIVATE, "robot", CANARY)
    config = machine.docker_config()

    assert config.resolve_authconfig(HOST)["Password"] == PASSWORD
    assert config.resolve_authconfig(PRIVATE)["Username"] == "robot"
    assert config.resolve_authconfig(STUBBED)["Username"] == "stub"
    assert config.resolve_authconfig("public.example") is None
    with pytest.raises(docker.errors.DockerException, match="this helper is broken"):
        config.resolve_authconfig(BROKEN)
    everything: dict[str, dict[str, str]] = config.get_all_credentials()
    assert {server: found["Username"] for server, found in everything.items()} == {
        HOST: "AWS",
        f"https://{HOST}": "AWS",
        PRIVATE: "robot",
        STUBBED: "stub",
    }


def test_a_failing_helper_disturbs_no_other(machine: Machine) -> None:
    machine.configure(CONFIG + HANGS)
    broken = machine.auto.get(BROKEN)
    assert (broken.code, broken.out) == (1, b"docker-credential-broken: this helper is broken\n")
    assert (
        broken.err
        == b"see its manual\ndocker-credential-auto: docker-credential-broken: this helper is broken\n"
    )

    started = time.monotonic()
    hanging = machine.auto.get(HANGING)
    assert time.monotonic() - started < 20
    assert (hanging.code, hanging.out) == (
        1,
        b"docker-credential-hanging did not answer within 2 s and was stopped\n",
    )
    absent = machine.auto.get(ABSENT)
    assert (absent.code, absent.out) == (1, b"docker-credential-absent is not on PATH\n")

    assert machine.auto.get(STUBBED).found
    assert "docker-credential-broken: this helper is broken" in machine.log


def test_a_list_names_what_is_missing(machine: Machine) -> None:
    machine.configure(CONFIG + HANGS)
    machine.auto.store(PRIVATE, "robot", CANARY)
    machine.auto.get(HOST)
    answer = machine.auto.list()
    assert answer.value() == {PRIVATE: "robot", STUBBED: "stub", f"https://{HOST}": "AWS"}
    assert answer.err.decode().splitlines() == [
        "see its manual",
        "docker-credential-auto: docker-credential-broken: this helper is broken",
        "docker-credential-auto: docker-credential-absent is not on PATH",
        "docker-credential-auto: docker-credential-hanging did not answer within 2 s and was stopped",
    ]
    assert machine.log.count("Cannot list") == 3


def test_what_is_listed_can_be_had_and_erased(machine: Machine) -> None:
    team, key = f"{PRIVATE}/team-a/app", f"{PRIVATE}#team-a"
    machine.auto.store(team, "team", CANARY)
    machine.auto.store(PRIVATE, "robot", CANARY)
    machine.auto.store("mirror.example", "hub", CANARY)
    assert machine.password_store.stored() == {HUB: "hub", key: "team", PRIVATE: "robot"}

    stored = machine.auto.stored()
    assert stored == {"mirror.example": "hub", HUB: "hub", key: "team", PRIVATE: "robot", STUBBED: "stub"}
    for server, username in {**stored, team: "team", f"{PRIVATE}/team-b/app": "robot"}.items():
        assert machine.auto.get(server).credentials().username == username
    for server in (*stored, team):
        answer = machine.auto.erase(server)
        assert (answer.code, answer.err) == (0, b"")
    assert machine.password_store.stored() == {}


def test_a_login_that_is_not_kept_fails(machine: Machine) -> None:
    answer = machine.auto.store(STUBBED, "alice", CANARY)
    assert (answer.code, answer.out) == (1, b"docker-credential-stub: not implemented\n")


def test_an_ecr_host_without_a_token(machine: Machine) -> None:
    assert machine.password_store.store(HOST, "robot", CANARY).code == 0
    machine.aws.fault = failing(400, "AccessDeniedException")
    answer = machine.auto.get(HOST)
    assert (answer.code, answer.out.strip()) == (1, NOT_FOUND)
    assert b"AccessDenied" in answer.err


def test_a_login_to_ecr_is_kept_with_the_tokens(machine: Machine) -> None:
    assert machine.auto.store(HOST, "AWS", CANARY).code == 0
    assert machine.auto.get(HOST).credentials().secret == CANARY
    assert machine.aws.calls[TOKEN_CALL] == 0
    assert machine.password_store.stored() == {}


def test_nomad_goes_on_without_credentials(machine: Machine) -> None:
    machine.configure('not_found = "empty"\n' + CONFIG)
    assert machine.auto.get("public.example").credentials() == Credentials("public.example", "", "")
    assert machine.auto.get(BROKEN).code == 1


def test_a_route_to_itself_is_an_error(machine: Machine, tmp_path: Path) -> None:
    Path(tmp_path, "others", "docker-credential-again").symlink_to(machine.auto.executable)
    machine.configure('[[auto.route]]\nmatch = "*"\nhelper = "again"\n')
    answer = machine.auto.get(PRIVATE)
    assert answer.code == 1
    assert b"docker-credential-again is docker-credential-auto itself" in answer.out

    machine.configure('[auto]\ndefault = "auto"\n')
    assert b"config.toml, line 2: auto.default must not be auto" in machine.auto.get(PRIVATE).out


def test_a_helper_that_asks_auto_is_an_error(machine: Machine, tmp_path: Path) -> None:
    install(tmp_path / "others", "wrapper", f'exec {machine.auto.executable} "$@"')
    machine.configure('[[auto.route]]\nmatch = "*"\nhelper = "wrapper"\n')
    answer = machine.auto.get(PRIVATE)
    assert answer.code == 1
    assert b"docker-credential-auto was started by a helper that it had started itself" in answer.out
    assert os.listdir(machine.home / ".ecr/log") == ["auto.log"]


def test_docker_hubs_spellings_share_a_route(machine: Machine, tmp_path: Path) -> None:
    install(tmp_path / "others", "hub", 'echo "{\\"Username\\":\\"hub\\",\\"Secret\\":\\"$(cat)\\"}"')
    machine.configure('[[auto.route]]\nmatch = "docker.io"\nhelper = "hub"\n')
    for name in (
        HUB,
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "index.docker.io/library/alpine",
    ):
        assert machine.auto.get(name).credentials().username == "hub"
    assert machine.auto.get("docker.io.evil.example").out.strip() == NOT_FOUND

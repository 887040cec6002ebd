"""`credhelpers emulator`: what it serves, the environment that it prints, its faults and its end."""

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from credhelpers.emulator.faults import FAULTS
from tests.support.aws import HOST

SECONDS = 30
PAGE = Path(__file__).resolve().parents[2] / "docs" / "emulator.md"
KINDS = ["instance", "keys", "ecs", "pod-identity", "web-identity"]


@pytest.fixture
def env(installed: Path, private_env: dict[str, str]) -> dict[str, str]:
    return {**private_env, "PATH": f"{installed}:{private_env['PATH']}"}


def run(env: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["credhelpers", "emulator", *arguments],
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_helper_gets_a_token(env: dict[str, str], kind: str) -> None:
    done = run(env, "--identity", kind, "--", "docker-credential-ecr-login", "get", stdin=HOST)

    assert done.returncode == 0, done
    assert json.loads(done.stdout)["Username"] == "AWS"


def test_the_users_own_identity_is_not_used(env: dict[str, str]) -> None:
    own = {"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "own"}

    done = run({**env, **own}, "--", "docker-credential-ecr-login", "get", stdin=HOST)

    assert done.returncode == 0, done
    assert not Path(env["HOME"], ".ecr").exists()


def test_doctor_asks_no_real_registry(env: dict[str, str]) -> None:
    done = run(env, "--", "credhelpers", "doctor", "--json", HOST)

    findings = json.loads(done.stdout)["findings"]
    assert not [finding for finding in findings if finding["check"] == "registry"]
    asked = run(env, "--", "env", "CREDHELPERS_OFFLINE=0", "credhelpers", "doctor", "--json", HOST)
    assert [each for each in json.loads(asked.stdout)["findings"] if each["check"] == "registry"]


def test_a_fault_is_staged(env: dict[str, str]) -> None:
    done = run(env, "--fault", "no-role", "--", "docker-credential-ecr-login", "get", stdin=HOST)

    assert done.returncode == 1
    assert "has no role (404)" in done.stderr


def test_the_exit_status_is_that_of_the_command(env: dict[str, str]) -> None:
    assert run(env, "sh", "-c", "exit 7").returncode == 7
    assert run(env, "sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("fault", ["nope", "clock-skew", "clock-skew=late", "no-role=1"])
def test_a_wrong_fault_is_refused(env: dict[str, str], fault: str) -> None:
    done = run(env, "--fault", fault, "--", "true")

    assert done.returncode == 2
    assert "--list-faults" in done.stderr


def test_a_port_in_use_is_named(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(env, "--port", str(port), "--", "true")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot listen on port {port}: Address already in use" in done.stderr


def test_a_missing_command_is_named(env: dict[str, str]) -> None:
    done = run(env, "--", "no-such-command")

    assert done.returncode == 1
    assert "cannot start no-such-command: No such file or directory" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("form", ["shell", "json"])
def test_it_serves_until_a_signal(env: dict[str, str], number: signal.Signals, form: str) -> None:
    arguments = ["--json"] if form == "json" else []
    with subprocess.Popen(
        ["credhelpers", "emulator", *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        end = "}\n" if form == "json" else "export AWS_EC2_METADATA_SERVICE_ENDPOINT"
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(end):
                break
        text = "".join(lines)
        if form == "json":
            found = json.loads(text)
            assert "AWS_PROFILE" in found["unset"]
            values = found["environment"]
            text = "".join(f"export {name}='{value}'\n" for name, value in values.items())
        script = f"{text}\nprintf {HOST} | docker-credential-ecr-login get"
        got = subprocess.run(
            ["/bin/sh", "-c", script], env=env, capture_output=True, timeout=SECONDS, check=False
        )
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
    assert json.loads(got.stdout)["Username"] == "AWS", got
    (directory,) = re.findall(r"AWS_ECR_CACHE_DIR='?(.*)/cache", text)
    assert not Path(directory).exists()


def test_the_page_lists_every_fault(env: dict[str, str]) -> None:
    rows = re.findall(r"^\| `([a-z-]+)(?:=SECONDS)?` \| (.*) \|$", PAGE.read_text(), re.MULTILINE)

    assert dict(rows) == {name: fault.text for name, fault in FAULTS.items()}
    listed = run(env, "--list-faults").stdout
    assert [line.split()[0].partition("=")[0] for line in listed.splitlines()] == list(FAULTS)

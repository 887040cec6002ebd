"""The bounds within which the doctor works, and what its commands load."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from credhelpers.cli.doctor import ecr
from credhelpers.cli.shared import ecr_tokens
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.plan import Plan
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.config import Settings

ROOT = Path(__file__).resolve().parents[2]
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def soon(seconds: float = 20.0) -> float:
    """Return a deadline."""
    return time.monotonic() + seconds


def test_tasks_return_results_and_raise_errors() -> None:
    tasks: Tasks[int] = Tasks(soon())
    tasks.start("one", lambda: 1)
    tasks.start("one", lambda: 2)
    tasks.start("none", lambda: 1 // 0)
    assert tasks.result("one") == 1
    with pytest.raises(ZeroDivisionError):
        tasks.result("none")


def test_an_endless_task_is_not_waited_for() -> None:
    tasks: Tasks[bool] = Tasks(soon(0.05))
    tasks.start("endless", Event().wait)
    assert tasks.result("endless") is None


def plan(config: str, server: str | None = None) -> Plan:
    return Plan(DockerConfig("config.json", config.encode()), server, {"PATH": "/nowhere"}, Settings({}))


def test_the_plan_has_the_servers_docker_asks_for() -> None:
    given = plan(
        '{"credsStore": "x", "credHelpers": {"a.example": "y"}, "auths": {"https://b.example/v1/": {}}}'
    )
    assert [(hop.server, hop.helper) for hop in given.hops] == [("a.example", "y"), ("b.example", "x")]
    assert given.helpers == ["y", "x"]


@pytest.mark.parametrize("server", ["docker.io", "index.docker.io", "https://index.docker.io/v1/"])
def test_the_plan_knows_docker_hub_by_its_key(server: str) -> None:
    (hop,) = plan('{"credHelpers": {"https://index.docker.io/v1/": "y"}}', server).hops
    assert (hop.server, hop.helper) == ("https://index.docker.io/v1/", "y")


def test_the_plan_without_a_helper() -> None:
    given = plan('{"credHelpers": {"a.example": ""}}')
    assert [(hop.helper, hop.target) for hop in given.hops] == [("", "")]
    assert given.all_helpers == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(43199, "11 h 59 min"), (3600, "1 h 0 min"), (3599, "59 min"), (59, "0 min"), (-5, "0 min")],
)
def test_a_duration_in_words(seconds: int, words: str) -> None:
    assert ecr_tokens.duration(seconds) == words


@pytest.mark.parametrize("server", [HOST, f"https://{HOST}/team/app", f"{HOST}:443", "public.ecr.aws"])
def test_spellings_of_an_ecr_registry(server: str) -> None:
    assert ecr.check_host(server, Settings({}), "").state == "ok"


def test_look_alikes_of_ecr_registries() -> None:
    assert ecr.check_look_alike("registry.example", Settings({})) == []
    assert ecr.check_look_alike(f"{HOST}.evil.example", Settings({}))[0].state == "warn"


def test_a_configured_keyring_backend_is_ok() -> None:
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from credhelpers.stores.os_keyring import checks; "
        "print(*(vars(finding) for finding in checks.check_keyring(os.environ)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(ROOT)],
        env={"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "'check': 'keyring backend', 'state': 'ok'" in done.stdout


def test_commands_load_libraries_late() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import credhelpers.cli; "
        "print(*{'boto3', 'botocore', 'jeepney', 'keyring', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == []

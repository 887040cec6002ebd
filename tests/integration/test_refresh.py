"""`credhelpers refresh`: tokens fetched ahead of need, from an AWS on loopback that counts the requests."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credhelpers.emulator import Request, Response
from tests.support.ahead import Ahead
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Aws, Gate, failing
from tests.support.operator import Operator
from tests.support.worker import Worker, rotate, watched

pytestmark = pytest.mark.timeout(120)

OTHER = HOST.replace("eu-central-1", "us-west-2")
SAME_REGION = HOST.replace("123456789012", "000000000000")


@pytest.fixture
def operator(worker: Worker) -> Operator:
    """The person at that machine."""
    return Operator.at(worker.executable.parent, dict(worker.env))


def calls(worker: Worker) -> int:
    return worker.aws.calls[TOKEN_CALL]


def test_a_new_host_gets_its_token(worker: Worker, operator: Operator) -> None:
    result = operator.succeed("refresh", HOST)

    assert result.out.startswith(f"{HOST}: a new token, valid until 20")
    assert PASSWORD not in result.out + result.err
    assert (worker.password(), calls(worker)) == (PASSWORD, 1)


def test_a_valid_token_is_renewed(worker: Worker, operator: Operator) -> None:
    worker.password()
    worker.age(10)
    new = rotate(worker)

    operator.succeed("refresh", f"https://{HOST}")

    assert (worker.password(), calls(worker)) == (new, 2)


def test_shared_tokens_cost_one_request(worker: Worker, operator: Operator) -> None:
    report = operator.succeed("refresh", "--json", HOST, SAME_REGION, OTHER).json()

    assert [entry["server"] for entry in report["refreshed"]] == [HOST, SAME_REGION, OTHER]
    assert report["failed"] == []
    assert calls(worker) == 2
    assert set(worker.stored()) == {f"https://{host}" for host in (HOST, SAME_REGION, OTHER)}


def test_all_is_cached_and_configured_hosts(worker: Worker, operator: Operator) -> None:
    cached, in_settings, in_docker, in_podman, by_auto = (
        HOST.replace("eu-central-1", region)
        for region in ("eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1")
    )
    worker.password(cached)
    settings = f'[[ecr.registry]]\nmatch = "{in_settings}"\n[[ecr.registry]]\nmatch = "*.example"\n'
    operator.write(".config/credhelpers/config.toml", settings)
    docker = {
        "credsStore": "auto",
        "credHelpers": {in_docker: "ecr-login", HOST: "pass", "registry.example": "ecr-login"},
        "auths": {by_auto: {}, "registry.example:5000": {}},
    }
    operator.write(".docker/config.json", json.dumps(docker))
    podman = {"credHelpers": {in_podman: "ecr-login"}}
    operator.write(".config/containers/auth.json", json.dumps(podman))

    report = operator.succeed("refresh", "--all", "--json").json()

    assert {entry["server"] for entry in report["refreshed"]} == {
        cached,
        in_settings,
        in_docker,
        in_podman,
        by_auto,
    }


def test_nothing_to_refresh_succeeds(worker: Worker, operator: Operator) -> None:
    assert "nothing to fetch" in operator.succeed("refresh", "--all").out
    assert worker.aws.total == 0


def test_one_failure_leaves_the_others(worker: Worker, operator: Operator) -> None:
    def fault(request: Request) -> Response | None:
        refused = request.operation == TOKEN_CALL and "us-west-2" in request.scope
        return Response.error(400, "AccessDeniedException", "no") if refused else None

    worker.aws.fault = fault

    result = operator.run("refresh", "--json", OTHER, HOST, "registry.example")

    assert result.code == 1
    report = result.json()
    assert [entry["server"] for entry in report["refreshed"]] == [HOST]
    causes = {entry["server"]: entry["cause"] for entry in report["failed"]}
    assert "AccessDeniedException" in causes[OTHER]
    assert causes["registry.example"] == "registry.example is not an Amazon ECR registry"
    assert all(entry["remedy"] for entry in report["failed"])


def test_a_failure_keeps_the_old_token(worker: Worker, operator: Operator) -> None:
    worker.password()
    worker.age(10)
    worker.aws.fault = failing(400, "AccessDeniedException")

    cause, remedy = operator.run("refresh", "--all").complaint

    assert cause.startswith(f"{HOST}: no token from ECR in eu-central-1: ")
    assert "IAM" in remedy
    assert worker.password() == PASSWORD


def test_a_remembered_failure_is_asked_again(worker: Worker, operator: Operator) -> None:
    worker.aws.fault = failing(400, "AccessDeniedException")
    worker.cause_of_nothing()
    worker.aws.fault = None

    operator.succeed("refresh", HOST)

    assert worker.password() == PASSWORD


def test_a_token_that_cannot_be_kept_is_a_failure(worker: Worker, operator: Operator) -> None:
    cause, _ = operator.but(AWS_ECR_DISABLE_CACHE="1").run("refresh", HOST).complaint

    assert "cannot be kept" in cause


@pytest.mark.parametrize("arguments", [[], ["--all", HOST], ["--every"]])
def test_a_wrong_command_line_is_exit_status_2(operator: Operator, arguments: list[str]) -> None:
    assert operator.run("refresh", *arguments).code == 2


def test_at_a_terminal_there_is_progress(worker: Worker, operator: Operator) -> None:
    gate = Gate()
    worker.aws.fault = gate
    with operator.at_terminal("refresh", HOST, OTHER) as terminal:
        terminal.expect("Fetching")
        gate.open()
        assert terminal.finish() == 0

    assert f"{OTHER}: a new token" in terminal.shown
    assert PASSWORD not in terminal.shown


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Worker]]:
    """A machine whose AWS gives tokens of five seconds, and which may ask again after one."""
    with Aws(lifetime=5.0) as aws:
        env = {**private_env, **aws.environment()}
        with watched(Worker(installed / "docker-credential-ecr-login", env, aws=aws)) as machine:
            yield (machine,)


def watching(operator: Operator, *arguments: str) -> "subprocess.Popen[str]":
    operator.write(".config/credhelpers/config.toml", "[ecr]\nfailure_seconds = 1\n")
    return subprocess.Popen(
        [str(operator.bin / "credhelpers"), "refresh", "--watch", *arguments],
        env=operator.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_wait(worker: Worker, operator: Operator, number: signal.Signals) -> None:
    with watching(operator, HOST) as process:
        assert process.stdout
        process.stdout.readline()
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, "", "")


def test_a_signal_waits_for_the_call(worker: Worker, operator: Operator) -> None:
    gate = Gate()
    worker.aws.fault = gate
    with watching(operator, HOST, OTHER) as process:
        worker.aws.wait_for(TOKEN_CALL, 1)
        process.terminate()
        gate.open()
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, "", "")
    assert worker.aws.calls[TOKEN_CALL] == 1
    assert worker.password() == PASSWORD


def test_a_second_signal_interrupts_the_call(worker: Worker, operator: Operator) -> None:
    gate = Gate()
    worker.aws.fault = gate
    with watching(operator, HOST) as process:
        worker.aws.wait_for(TOKEN_CALL, 1)
        process.terminate()
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=8)  # a call alone may take ten seconds
    gate.open()

    assert (process.returncode, err) == (0, "")
    assert not [path for path in worker.tokens.iterdir() if path.name.endswith(".tmp")]
    assert worker.password() == PASSWORD


@ahead
def test_watching_keeps_registries_that_fail(hasty: Worker) -> None:
    operator = Operator.at(hasty.executable.parent, dict(hasty.env))
    hasty.aws.lifetime = 2.0
    hasty.password()
    with watching(operator, "--all") as process:
        assert process.stdout
        assert process.stdout.readline().startswith(f"{HOST}: a new token")
        hasty.aws.fault = failing(400, "AccessDeniedException")
        hasty.aws.wait_for(TOKEN_CALL, calls(hasty) + 4)
        assert hasty.stored() == {}, "the token has not ended yet"
        hasty.aws.fault = None
        assert process.stdout.readline().startswith(f"{HOST}: a new token")
        process.terminate()
        process.communicate(timeout=30)

    assert process.returncode == 0


@ahead
def test_watching_fetches_at_half_of_each_life(hasty: Worker) -> None:
    operator = Operator.at(hasty.executable.parent, dict(hasty.env))
    started = time.monotonic()
    with watching(operator, "--json", HOST) as process:
        hasty.aws.wait_for(TOKEN_CALL, 3)
        elapsed = time.monotonic() - started
        process.terminate()
        out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")
    assert elapsed > 2.5, "it did not wait for half of a life"
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) >= 2
    assert all(line["refreshed"][0]["server"] == HOST for line in lines)


@ahead
def test_watching_finds_new_registries(hasty: Worker) -> None:
    operator = Operator.at(hasty.executable.parent, dict(hasty.env))
    hasty.password()
    with watching(operator, "--all") as process:
        hasty.aws.wait_for(TOKEN_CALL, 2)
        operator.write(".docker/config.json", json.dumps({"credHelpers": {OTHER: "ecr-login"}}))
        hasty.aws.wait_for(TOKEN_CALL, 4)
        process.terminate()
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert any("us-west-2" in request.scope for request in hasty.aws.requests)


@ahead
def test_watching_goes_on_after_a_failure(hasty: Worker) -> None:
    operator = Operator.at(hasty.executable.parent, dict(hasty.env))
    hasty.aws.fault = failing(400, "AccessDeniedException")
    with watching(operator, HOST) as process:
        hasty.aws.wait_for(TOKEN_CALL, 2)
        hasty.aws.fault = None
        assert process.stdout
        assert process.stdout.readline().startswith(f"{HOST}: a new token")
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert process.returncode == 0
    assert "AccessDeniedException" in err

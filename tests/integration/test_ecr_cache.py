"""When a token comes from the cache, when from AWS, and when from both: against a clock that is moved."""

import os
import subprocess

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Gate, failing
from tests.support.client import Credentials
from tests.support.worker import Worker, rotate

HOUR = 3600
DAY = 24 * HOUR


def test_a_warm_get_makes_no_request_of_any_kind(worker: Worker) -> None:
    assert worker.password() == PASSWORD
    cold = worker.aws.total
    assert (worker.aws.calls[TOKEN_CALL], worker.aws.calls["imds"]) == (1, cold - 1)

    for _ in range(100):
        assert worker.password() == PASSWORD

    assert worker.aws.total == cold


def test_registries_of_a_region_share_a_call(worker: Worker) -> None:
    for account in range(5):
        worker.password(f"{account:012}.dkr.ecr.eu-central-1.amazonaws.com")

    assert worker.aws.calls[TOKEN_CALL] == 1


def test_scheme_and_repository_change_nothing(worker: Worker) -> None:
    for server in (HOST, f"https://{HOST}", f"https://{HOST}/team/app", f"{HOST}:443", HOST.upper()):
        assert worker.password(server) == PASSWORD

    assert worker.aws.calls[TOKEN_CALL] == 1


@pytest.mark.parametrize(
    ("host", "region", "service"),
    [
        (HOST, "eu-central-1", "ecr"),
        ("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1", "ecr"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "ecr"),
        ("123456789012.dkr.ecr-fips.us-east-2.amazonaws.com", "us-east-2", "ecr"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "ecr"),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "ecr"),
        ("public.ecr.aws", "us-east-1", "ecr-public"),
        ("ecr-public.aws.com", "us-east-1", "ecr-public"),
    ],
)
def test_the_request_is_signed_for_the_region(worker: Worker, host: str, region: str, service: str) -> None:
    machine = worker.with_keys().but(AWS_REGION="ap-south-1", AWS_DEFAULT_REGION="ap-south-1")

    assert machine.password(host) == PASSWORD

    (request,) = worker.aws.requests
    assert request.scope[2:] == [region, service]


def test_each_region_has_its_own_token(worker: Worker) -> None:
    first = worker.password()
    second = rotate(worker)

    assert worker.password(HOST.replace("eu-central-1", "eu-west-1")) == second
    assert worker.password() == first


def test_past_half_its_life_it_is_renewed_behind(
    worker: Worker,
) -> None:
    worker.password()
    worker.age(7 * HOUR)
    new = rotate(worker)
    gate = worker.aws.fault = Gate()

    # AWS answers only after the helper has, so an answer proves that nobody waited for AWS.
    assert worker.password() == PASSWORD

    worker.aws.wait_for(TOKEN_CALL, 2)
    gate.open()
    worker.wait_for_refresh(2)
    assert worker.password() == new
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_a_renewal_holds_no_pipe_of_the_caller(worker: Worker) -> None:
    worker.password()
    worker.age(7 * HOUR)
    gate = worker.aws.fault = Gate()
    ours, theirs = os.pipe()
    with subprocess.Popen(
        [worker.executable, "get"],
        env=dict(worker.env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[theirs],
    ) as process:
        os.close(theirs)
        out, err = process.communicate(HOST.encode(), timeout=30)
        assert PASSWORD.encode() in out
        assert err == b""
        with os.fdopen(ours, "rb") as pipe:
            assert pipe.read() == b""  # its end is seen though the child still waits for AWS
    worker.aws.wait_for(TOKEN_CALL, 2)
    gate.open()
    worker.wait_for_refresh(2)


def test_many_callers_renew_a_token_once(worker: Worker) -> None:
    worker.password()
    worker.age(7 * HOUR)
    gate = worker.aws.fault = Gate()
    for _ in range(10):
        assert worker.password() == PASSWORD
    gate.open()
    worker.wait_for_refresh(2)

    # Those that came too late to call take the new token; the lock is free only after each has looked.
    worker.wait_for_refresh(2)
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_in_its_last_minutes_it_is_replaced(worker: Worker) -> None:
    worker.password()
    worker.age(12 * HOUR - 200)
    new = rotate(worker)

    assert worker.password() == new


def test_in_its_last_minutes_it_bridges_faults(worker: Worker) -> None:
    worker.password()
    worker.age(12 * HOUR - 200)
    worker.aws.fault = failing(403, "AccessDeniedException")

    assert worker.password() == PASSWORD
    assert worker.password() == PASSWORD

    assert worker.aws.calls[TOKEN_CALL] == 2
    assert "the old one is still good" in worker.log
    assert "AccessDeniedException" in worker.log


def test_an_expired_token_is_never_given(worker: Worker) -> None:
    worker.password()
    worker.age(12 * HOUR + 1)
    worker.aws.fault = failing(403, "AccessDeniedException")

    assert "AccessDeniedException" in worker.cause_of_nothing()


@pytest.mark.parametrize("seconds", [DAY, -DAY], ids=["forward", "back"])
def test_a_clock_that_jumps_costs_one_call(worker: Worker, seconds: int) -> None:
    worker.password()
    worker.age(seconds)
    new = rotate(worker)

    assert [worker.password() for _ in range(3)] == [new] * 3
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_a_token_lasts_twelve_hours_at_most(worker: Worker) -> None:
    worker.aws.lifetime = 10 * 365 * DAY
    worker.password()
    worker.age(12 * HOUR + 1)
    new = rotate(worker)

    assert worker.password() == new


def test_a_short_life_is_renewed_sooner(worker: Worker) -> None:
    worker.aws.lifetime = 2 * HOUR
    worker.password()
    worker.age(50 * 60)
    assert worker.password() == PASSWORD
    assert worker.aws.calls[TOKEN_CALL] == 1

    worker.age(20 * 60)
    assert worker.password() == PASSWORD
    worker.wait_for_refresh(2)


def test_without_a_cache_every_get_asks(worker: Worker) -> None:
    machine = worker.but(AWS_ECR_DISABLE_CACHE="true")

    assert machine.password() == machine.password() == PASSWORD

    assert worker.aws.calls[TOKEN_CALL] == 2
    assert not worker.tokens.exists()


def test_the_variable_moves_cache_and_log(worker: Worker) -> None:
    elsewhere = worker.home / "else" / "where"
    machine = worker.but(AWS_ECR_CACHE_DIR=str(elsewhere))

    assert machine.password() == machine.password() == PASSWORD

    assert worker.aws.calls[TOKEN_CALL] == 1
    assert "Got a token" in (elsewhere / "log" / "ecr-login.log").read_text()
    assert not (worker.home / ".ecr").exists()


def test_cache_and_log_are_private(worker: Worker) -> None:
    worker.password()

    for path in (worker.home / ".ecr").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_answer_repeats_the_server(worker: Worker) -> None:
    server = f"https://{HOST}/team/app"

    assert worker.get(server).credentials() == Credentials(server, "AWS", PASSWORD)

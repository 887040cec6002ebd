"""AWS that refuses, breaks off, stalls or talks rubbish: bounded, told in a line, not asked again at once."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers import config
from credhelpers.emulator import Request, Response
from tests.support.ahead import Ahead
from tests.support.aws import (
    HOST,
    PASSWORD,
    TOKEN_CALL,
    Misbehaving,
    drip,
    failing,
    flood,
    half_an_answer,
    reset,
    silence,
)
from tests.support.worker import Worker, worker_ahead

ahead = Ahead(worker_ahead)
HURRY = "[ecr]\nread_seconds = 0.4\ncall_seconds = 3\nattempts = 2\n"
REASONABLE_SECONDS = 10  # for a promise of three and a machine with other things to do


@pytest.fixture
def hurried(worker: Worker) -> Worker:
    """A machine with access keys that has less patience than usual, for tests that would have to wait."""
    return in_a_hurry(worker)


def in_a_hurry(worker: Worker) -> Worker:
    config = worker.home / "config.toml"
    config.write_text(HURRY)
    return worker.with_keys().but(CREDHELPERS_CONFIG=str(config))


def _told(worker: Worker, host: str = HOST) -> str:
    """Return the cause, which is one line followed by one of remedy, and which is in the log too."""
    cause, remedy = worker.cause_of_nothing(host).splitlines()
    assert remedy.startswith("docker-credential-ecr-login: ")
    assert cause.removeprefix("docker-credential-ecr-login: ").split('"')[0] in worker.log
    assert "Traceback" not in worker.log
    return cause


def test_a_passing_fault_is_not_even_noticed(worker: Worker) -> None:
    def fail_first(request: Request) -> Response | None:
        return Response.error(503, "ServiceUnavailable", "") if worker.aws.calls[TOKEN_CALL] == 1 else None

    worker.aws.fault = fail_first
    answer = worker.with_keys().get(HOST)

    assert (answer.credentials().secret, answer.err) == (PASSWORD, b"")


def test_aws_is_asked_again_after_a_minute(worker: Worker) -> None:
    machine = worker.with_keys()
    worker.aws.fault = failing(403, "AccessDeniedException")
    machine.cause_of_nothing()
    worker.aws.fault = None

    machine.cause_of_nothing()
    worker.age(61)

    assert machine.password() == PASSWORD
    assert worker.aws.calls[TOKEN_CALL] == 2


@pytest.mark.parametrize("seconds", [-3600, -2 * 24 * 3600])
def test_a_failure_from_the_future_is_ignored(worker: Worker, seconds: int) -> None:
    machine = worker.with_keys()
    worker.aws.fault = failing(403, "AccessDeniedException")
    machine.cause_of_nothing()
    worker.aws.fault = None
    worker.age(seconds)

    assert machine.password() == PASSWORD


def test_a_failure_concerns_its_region_only(worker: Worker) -> None:
    machine = worker.with_keys()
    worker.aws.fault = lambda request: (
        Response.error(403, "AccessDeniedException", "") if request.scope[2] == "eu-central-1" else None
    )
    machine.cause_of_nothing()

    assert machine.password(HOST.replace("eu-central-1", "eu-west-1")) == PASSWORD


def test_a_closed_port_is_told(hurried: Worker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    assert f"127.0.0.1:{port}" in _told(hurried.but(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}"))


def test_a_flood_is_not_waited_for_nor_kept(hurried: Worker) -> None:
    with Misbehaving(flood) as broken:
        began = time.monotonic()
        _told(hurried.but(AWS_ENDPOINT_URL=broken.url))
        assert time.monotonic() - began < REASONABLE_SECONDS

    assert sum(path.stat().st_size for path in hurried.home.rglob("*") if path.is_file()) < 1 << 20


def test_a_line_break_in_a_password(worker: Worker) -> None:
    worker.aws.password = "two\nlines"

    assert worker.password() == worker.password() == "two\nlines"


def test_ecr_public_without_credentials(worker: Worker) -> None:
    cause = _told(worker.but(AWS_EC2_METADATA_DISABLED="true"), "public.ecr.aws")

    assert "ECR Public" in cause


def test_an_unparsable_configuration_is_named(worker: Worker) -> None:
    path = worker.configure("config", "no section\n")

    assert str(path) in _told(worker)


def test_every_limit_has_the_promised_size() -> None:
    assert config.DEFAULTS["ecr.call_seconds"] == 10
    assert config.DEFAULTS["ecr.failure_seconds"] == 60
    assert config.DEFAULTS["ecr.last_seconds"] == 900


def test_the_first_failure_starts_the_log(worker: Worker) -> None:
    worker.but(AWS_EC2_METADATA_DISABLED="true").cause_of_nothing()

    log = Path(worker.env["HOME"], ".ecr", "log", "ecr-login.log")
    assert "level=error" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("status", "code", "calls"),
    [
        (400, "InvalidParameterException", 1),
        (400, "UnrecognizedClientException", 1),
        (403, "AccessDeniedException", 1),
        (403, "RequestTimeTooSkewed", 1),
        (400, "ThrottlingException", 3),
        (429, "TooManyRequestsException", 3),
        (500, "ServerException", 3),
        (503, "ServiceUnavailableException", 3),
    ],
)
@ahead
def test_only_passing_errors_are_tried_again(worker: Worker, *, status: int, code: str, calls: int) -> None:
    machine = worker.with_keys()
    worker.aws.fault = failing(status, code, "the reason")

    cause = _told(machine)
    assert code in cause
    assert "the reason" in cause
    assert worker.aws.total == calls

    assert _told(machine) == cause  # out of the memory of failures
    assert worker.aws.total == calls


@pytest.mark.parametrize("behaviour", [reset, silence, drip, half_an_answer])
@ahead
def test_a_broken_connection_is_tried_again(
    worker: Worker, *, behaviour: Callable[[socket.socket], None]
) -> None:
    with Misbehaving(behaviour) as broken:
        machine = in_a_hurry(worker).but(AWS_ENDPOINT_URL=broken.url)
        began = time.monotonic()
        cause = _told(machine)
        took = time.monotonic() - began
        assert broken.url in cause
        tries = broken.connections
        assert 1 <= tries <= 2

        assert _told(machine) == cause
        assert broken.connections == tries
    assert took < REASONABLE_SECONDS

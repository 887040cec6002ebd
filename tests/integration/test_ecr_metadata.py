"""The instance metadata service: each way in which it gives no credentials is told as itself."""

import socket
import time
from collections.abc import Callable

import pytest

from credhelpers.emulator import ROLE, Request, Response
from tests.conformance.canary import CANARY
from tests.support.ahead import Ahead
from tests.support.aws import PASSWORD, Fault, Gate, Misbehaving, half_an_answer, reset, saying, silence
from tests.support.worker import Worker, worker_ahead

ahead = Ahead(worker_ahead)
ROLE_ARN = "arn:aws:iam::123456789012:role/pull"
CREDENTIALS = f"/security-credentials/{ROLE}"


def _told(worker: Worker) -> tuple[str, str]:
    cause, remedy = worker.cause_of_nothing().splitlines()
    assert "no AWS credentials are configured, and " in cause
    assert "internal error" not in worker.log
    return cause, remedy


def _only(method: str, path: str, response: Response) -> Fault:
    """Return a fault that answers one kind of request."""
    return lambda request: response if request.method == method and path in request.path else None


def _always(response: Response) -> Fault:
    return lambda request: response


FAULTS = {
    "off, or forbidden by a policy": (
        _always(Response(403)),
        "refused access (403)",
        "--http-endpoint enabled",
    ),
    "no role attached": (
        _only("GET", "", Response(404)),
        "none is attached to the instance",
        "associate-iam-instance-profile",
    ),
    "a role that EC2 may not assume": (
        _only(
            "GET",
            CREDENTIALS,
            Response.of_json({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 no"}),
        ),
        "answered AssumeRoleUnauthorizedAccess: EC2 no",
        "trust policy",
    ),
    "a code without words": (
        _only("GET", CREDENTIALS, Response.of_json({"Code": "Failed", "Message": None})),
        "answered Failed: no reason",
        "trust policy",
    ),
    "a session token that does not count": (
        _only("GET", "", Response(401)),
        "session token (401)",
        "hop-limit 2",
    ),
    "trouble": (_only("GET", "", Response(500)), "answered with HTTP 500", "try again"),
    "an empty role": (_only("GET", "", Response(200)), "unexpected response from the instance", "proxy"),
    "no JSON": (_only("GET", CREDENTIALS, Response(200, b"<html>")), "unexpected response from", "proxy"),
    "null": (_only("GET", CREDENTIALS, Response(200, b"null")), "unexpected response from", "proxy"),
    "a list": (_only("GET", CREDENTIALS, Response(200, b"[]")), "unexpected response from", "proxy"),
    "nothing in it": (_only("GET", CREDENTIALS, Response(200, b"{}")), "unexpected response from", "proxy"),
    "deep": (_only("GET", CREDENTIALS, Response(200, b"[" * 100_000)), "unexpected response from", "proxy"),
    "not text": (_only("GET", CREDENTIALS, Response(200, b"\xff\xfe")), "unexpected response from", "proxy"),
    "null fields": (
        _only(
            "GET",
            CREDENTIALS,
            Response.of_json(
                {
                    "Code": "Success",
                    **dict.fromkeys(("AccessKeyId", "SecretAccessKey", "Token", "Expiration")),
                }
            ),
        ),
        "unexpected response from",
        "proxy",
    ),
    "an end that is no time": (
        _only(
            "GET",
            CREDENTIALS,
            Response.of_json(
                {
                    "Code": "Success",
                    "AccessKeyId": "x",
                    "SecretAccessKey": CANARY,
                    "Token": "x",
                    "Expiration": "soon",
                }
            ),
        ),
        "unexpected response from",
        "proxy",
    ),
}


@pytest.mark.parametrize(("fault", "words", "remedy"), FAULTS.values(), ids=FAULTS)
def test_what_the_service_answers_is_told(worker: Worker, fault: Fault, words: str, remedy: str) -> None:
    worker.aws.metadata_fault = fault

    told = _told(worker)

    assert words in told[0]
    assert remedy in told[1]


def test_a_service_that_is_not_there_is_told(worker: Worker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    cause, remedy = _told(worker.but(AWS_EC2_METADATA_SERVICE_ENDPOINT=url))

    assert f"the instance metadata service at {url} cannot be reached" in cause
    assert "AWS_PROFILE" in remedy


def test_a_service_turned_off_by_a_variable(worker: Worker) -> None:
    cause, remedy = _told(worker.but(AWS_EC2_METADATA_DISABLED="true"))

    assert "turned off by AWS_EC2_METADATA_DISABLED" in cause
    assert "unset AWS_EC2_METADATA_DISABLED" in remedy
    assert worker.aws.total == 0


def test_an_address_that_is_none_is_told(worker: Worker) -> None:
    machine = worker.but(AWS_EC2_METADATA_SERVICE_ENDPOINT="not a URL")

    assert "not a URL" in machine.cause_of_nothing()


@ahead
def test_the_timeout_of_the_environment_counts(worker: Worker) -> None:
    asked: list[Request] = []

    def slow(request: Request) -> Response | None:
        asked.append(request)
        time.sleep(1)
        return None

    worker.aws.metadata_fault = slow

    assert worker.but(AWS_METADATA_SERVICE_TIMEOUT="5").password() == PASSWORD
    assert len(asked) == 3


@ahead
def test_an_assumed_role_names_the_same_fault(worker: Worker) -> None:
    worker.configure(
        "config", f"[profile pull]\nrole_arn={ROLE_ARN}\ncredential_source=Ec2InstanceMetadata\n"
    )
    with Misbehaving(silence) as blackhole:
        machine = worker.but(AWS_PROFILE="pull", AWS_EC2_METADATA_SERVICE_ENDPOINT=blackhole.url)
        began = time.monotonic()
        cause, _ = machine.cause_of_nothing().splitlines()
        took = time.monotonic() - began

    assert "profile pull has no source for its role: the instance metadata service at" in cause
    assert took < 5


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (silence, "did not answer"),
        (reset, "closed the connection"),
        (half_an_answer, "closed the connection"),
        (saying(b"<html>"), "unexpected response from"),
    ],
)
@ahead
def test_a_broken_service_is_named_in_time(
    worker: Worker, *, behaviour: Callable[[socket.socket], None], words: str
) -> None:
    with Misbehaving(behaviour) as broken:
        machine = worker.but(AWS_EC2_METADATA_SERVICE_ENDPOINT=broken.url)
        began = time.monotonic()
        cause, _ = _told(machine)
        took = time.monotonic() - began
        tries = broken.connections
        assert _told(machine)[0] == cause  # out of the memory of failures
        assert broken.connections == tries <= 3
        assert broken.url in cause

    assert words in cause
    assert took < 5  # the promise is 2 s; the rest is for a busy machine
    assert worker.aws.total == 0


@pytest.mark.parametrize("status", [200, 401], ids=["IMDSv1 allowed", "IMDSv2 only"])
@ahead
def test_a_hop_limit_of_one_is_recognised(worker: Worker, *, status: int) -> None:
    gate = Gate()
    get = Response(status, b"", {})
    worker.aws.metadata_fault = lambda request: gate(request) if request.method == "PUT" else get
    try:
        cause, remedy = _told(worker)
    finally:
        gate.open()

    assert "answered a GET but not the PUT for a session token: its hop limit is too low" in cause
    assert "--http-put-response-hop-limit 2" in remedy

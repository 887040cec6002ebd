"""Answers that are not AWS's, or not tokens: told in a line as unexpected, with the clocks if they matter."""

import json
import re
import time

import pytest

from credhelpers.emulator import Response
from tests.support.aws import TOKEN_CALL, Misbehaving, failing, saying
from tests.support.worker import Worker


@pytest.fixture
def keyed(worker: Worker) -> Worker:
    """A machine with access keys."""
    return worker.with_keys()


def _authorization(**changes: object) -> bytes:
    return json.dumps(
        {"authorizationData": [{"authorizationToken": "QVdTOng=", "expiresAt": 4e9, **changes}]}
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>captive portal</html>",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b'{"authorizationData": null}',
        b'{"authorizationData": []}',
        b'{"authorizationData": {}}',
        b'{"authorizationData": [null]}',
        b'{"authorizationData": [{}]}',
        b"{" * 100_000,
        b"[" * 100_000,
        b"\xff\xfe",
        _authorization(authorizationToken="no base64!"),
        _authorization(authorizationToken="//79"),
        _authorization(authorizationToken="QVdT"),
        _authorization(authorizationToken="OnNlY3JldA=="),
        _authorization(authorizationToken=""),
        _authorization(authorizationToken=7),
        _authorization(authorizationToken=None),
        _authorization(expiresAt="soon"),
        _authorization(expiresAt=None),
        _authorization(expiresAt={}),
        _authorization(expiresAt=1e300),
        _authorization(expiresAt=float("nan")),
        _authorization(expiresAt=float("inf")),
        _authorization(expiresAt=-1e300),
        _authorization(expiresAt=0),
        _authorization(expiresAt="2020-01-01T00:00:00Z"),
    ],
    ids=lambda body: body[:80].decode("latin-1"),
)
def test_an_answer_without_a_token(keyed: Worker, body: bytes) -> None:
    with Misbehaving(saying(body)) as broken:
        cause = keyed.but(AWS_ENDPOINT_URL=broken.url).told()[0]
        assert f"unexpected response from {broken.url}" in cause
        assert broken.connections == 1, "to ask again would bring the same"

    assert keyed.cached() == []


def test_an_end_of_validity_in_iso_format_is_read(keyed: Worker) -> None:
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    with Misbehaving(saying(_authorization(expiresAt=ends))) as aws:
        assert keyed.but(AWS_ENDPOINT_URL=aws.url).password() == "x"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b'{"__type": null, "message": null}', "HTTP 400 without an AWS error code"),
        (
            400,
            b'{"__type": "AccessDeniedException", "message": null}',
            "AccessDeniedException: no reason given",
        ),
        (400, b'{"__type": "x#AccessDeniedException", "Message": "why"}', "AccessDeniedException: why"),
        (400, b'{"__type": 7}', "unexpected response from"),
        (400, b"null", "unexpected response from"),
        (400, b"[]", "unexpected response from"),
        (400, b"[" * 100_000, "unexpected response from"),
        (403, b"<html>blocked</html>", "HTTP 403 without an AWS error code"),
        (302, b"<html>log in first</html>", "HTTP 302 without an AWS error code"),
        (404, b"", "HTTP 404 without an AWS error code"),
        (500, b"<html>", "server error, HTTP 500"),
        (400, b'{"__type": "ThrottlingException", "message": null}', "ThrottlingException"),
    ],
)
def test_an_error_that_is_not_quite_aws_own(keyed: Worker, status: int, body: bytes, words: str) -> None:
    keyed.aws.fault = lambda request: Response(status, body)

    assert words in keyed.told()[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/xml"),
        (b"<html>", "text/html"),
        (b"<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>", "text/xml"),
        (
            b"<AssumeRoleResponse><AssumeRoleResult><Credentials/></AssumeRoleResult></AssumeRoleResponse>",
            "text/xml",
        ),
        (b"<" * 100_000, "text/xml"),
        (b"\xff\xfe", "text/xml"),
    ],
)
def test_sts_answers_rubbish(keyed: Worker, body: bytes, kind: str) -> None:
    config = keyed.home / "config.toml"
    config.write_text('[[ecr.registry]]\nmatch = "*"\nrole_arn = "arn:aws:iam::123456789012:role/pull"\n')
    keyed.aws.fault = lambda request: (
        Response(200, body, {"Content-Type": kind}) if request.operation == "AssumeRole" else None
    )

    machine = keyed.but(CREDHELPERS_CONFIG=str(config))

    assert f"unexpected response from {keyed.aws.url}" in machine.told()[0]
    assert keyed.aws.calls[TOKEN_CALL] == 0


@pytest.mark.parametrize("seconds", [-3600, 3600])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "RequestTimeTooSkewed"),
        (400, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
        (400, "ExpiredTokenException"),
    ],
)
def test_a_wrong_clock_is_named(worker: Worker, status: int, code: str, seconds: int) -> None:
    worker.aws.clock = lambda: time.time() - seconds
    worker.aws.fault = failing(status, code, "no")

    cause, remedy = worker.with_keys().cause_of_nothing().splitlines()

    side = "ahead of" if seconds > 0 else "behind"
    assert code in cause
    assert re.search(rf"this machine's clock is 3(600|599|601) s {side} AWS's", cause)
    assert "timedatectl set-ntp true" in remedy
    assert worker.aws.calls[TOKEN_CALL] == 1


def test_a_right_clock_is_not_blamed(worker: Worker) -> None:
    worker.aws.fault = failing(400, "ExpiredTokenException", "expired")

    cause, remedy = worker.with_keys().cause_of_nothing().splitlines()

    assert "clock" not in cause
    assert "renew" in remedy


def test_credentials_expired_on_arrival(worker: Worker) -> None:
    worker.aws.clock = lambda: time.time() - 24 * 3600
    token = worker.home / "token"
    token.write_text("a web identity")
    machine = worker.but(AWS_ROLE_ARN="arn:aws:iam::1:role/x", AWS_WEB_IDENTITY_TOKEN_FILE=str(token))

    cause = machine.told()[0]

    assert f"unexpected response from {worker.aws.url}: its credentials had expired on arrival" in cause
    assert "s ahead of AWS's" in cause

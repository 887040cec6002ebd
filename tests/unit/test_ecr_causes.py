"""What AWS's errors mean, in one line for the person who must act."""

from collections.abc import Mapping

import pytest
from botocore import exceptions as aws

from credhelpers.credential import CredentialError, CredentialsNotFound
from credhelpers.deadline import OutOfTime
from credhelpers.stores.ecr.causes import explain
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.trace import Trace

REGISTRY = Registry("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1")


def _refusal(
    code: str | None, message: str | None = "no", status: int = 400, operation: str = "AssumeRole"
) -> aws.ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(response, operation)


def _explain(
    error: BaseException,
    *,
    trace: Trace | None = None,
    chosen: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> CredentialsNotFound:
    return explain(error, REGISTRY, chosen or {}, environ or {}, trace or Trace())


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        ("AccessDenied", 403, "allow the action"),
        ("AccessDeniedException", 403, "allow the action"),
        ("ExpiredToken", 403, "renew"),
        ("ExpiredTokenException", 400, "renew"),
        ("InvalidIdentityToken", 400, "trusts the issuer"),
        ("InvalidSignatureException", 403, "clock"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("ThrottlingException", 400, "try again"),
        ("Throttling", 400, "try again"),
        ("TooManyRequestsException", 400, "try again"),
        ("RequestLimitExceeded", 503, "try again"),
        ("SomethingNew", 429, "try again"),
        ("SomethingNew", 500, "try again"),
        ("SomethingNew", 400, "API reference"),
    ],
)
def test_a_refusal_names_code_and_message(code: str, status: int, remedy: str) -> None:
    told = _explain(_refusal(code, "because", status))

    assert f"AssumeRole answered {code}: because" in told.cause
    assert remedy in told.remedy


@pytest.mark.parametrize(("code", "message"), [(None, None), ("", ""), ("400", None)])
def test_a_refusal_without_code_or_message(code: str | None, message: str | None) -> None:
    trace = Trace()
    trace.asked = "https://sts.amazonaws.com"

    told = _explain(_refusal(code, message), trace=trace)

    assert "unexpected response from https://sts.amazonaws.com: HTTP 400 without an AWS error" in told.cause


@pytest.mark.parametrize(
    ("skew", "words"), [(-301.4, "301 s behind AWS's"), (7200.0, "7200 s ahead of AWS's")]
)
def test_a_wrong_clock_is_named(skew: float, words: str) -> None:
    trace = Trace()
    trace.skew = skew

    told = _explain(_refusal("InvalidSignatureException"), trace=trace)

    assert words in told.cause
    assert "timedatectl" in told.remedy
    assert words not in _explain(_refusal("AccessDenied"), trace=trace).cause


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 01 Jan 1970", "Thu, 99 Jan 9999999 00:00:00 GMT"])
def test_a_bad_date_says_nothing_of_the_clock(date: str) -> None:
    trace = Trace()
    trace.note_answer({"headers": {"date": date}})
    trace.note_answer(None)

    assert trace.skew is None


def test_no_credentials_names_the_metadata_fault() -> None:
    trace = Trace()
    trace.metadata = CredentialError("the instance metadata service is off", "turn it on", fault="imds-off")

    told, absent = _explain(aws.NoCredentialsError(), trace=trace), _explain(aws.NoCredentialsError())

    assert "and the instance metadata service is off" in told.cause
    assert told.remedy == "turn it on"
    assert "metadata service" not in absent.cause


def test_whoever_did_not_answer_in_time_is_named() -> None:
    trace = Trace()
    trace.asked = "https://api.ecr.eu-central-1.amazonaws.com"

    told = _explain(OutOfTime(10.0), trace=trace).cause

    assert "https://api.ecr.eu-central-1.amazonaws.com did not answer within 10 s" in told


@pytest.mark.parametrize(
    ("environ", "profile"),
    [
        ({}, "default"),
        ({"AWS_PROFILE": "a"}, "a"),
        ({"AWS_DEFAULT_PROFILE": "b", "AWS_PROFILE": "a"}, "b"),
        ({"AWS_PROFILE": "my dev"}, "'my dev'"),
    ],
)
def test_sso_names_the_profile_of_the_environment(environ: dict[str, str], profile: str) -> None:
    error = aws.UnauthorizedSSOTokenError()

    assert _explain(error, environ=environ).remedy == f"run: aws sso login --profile {profile}"
    chosen = _explain(error, chosen={"profile": "prod"}, environ=environ)
    assert chosen.remedy.endswith("aws sso login --profile prod")


def test_sso_refusals_are_known_by_status() -> None:
    signed_out = _refusal("UnauthorizedException", "no", 401, "GetRoleCredentials")
    unassigned = _refusal("ForbiddenException", "no", 403, "GetRoleCredentials")

    assert "aws sso login" in _explain(signed_out).remedy
    assert "Identity Center" in _explain(unassigned).remedy


def test_sso_names_the_profile_with_the_session() -> None:
    trace = Trace()
    trace.profiles = {
        "pull": {"source_profile": "base"},
        "base": {"source_profile": "sso"},
        "sso": {"sso_account_id": "1"},
        "loop": {"source_profile": "loop"},
    }

    for profile, expected in (("pull", "sso"), ("loop", "loop"), ("absent", "absent")):
        told = _explain(aws.UnauthorizedSSOTokenError(), trace=trace, chosen={"profile": profile})
        assert told.remedy == f"run: aws sso login --profile {expected}"


@pytest.mark.parametrize("message", ["a\nb\x1b[31m", "x" * 100_000, "https://user:hidden@host/?q=hidden"])
def test_foreign_words_are_short_without_secrets(message: str) -> None:
    told = _explain(_refusal("Code", message))

    assert told.cause.isprintable()
    assert len(told.cause) < 1000
    assert "hidden" not in told.cause


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError(), RecursionError(), OSError(), AttributeError()]
)
def test_internal_errors_are_not_quoted(error: Exception) -> None:
    trace = Trace()
    assert (
        f"the AWS configuration cannot be used ({type(error).__name__})" in _explain(error, trace=trace).cause
    )

    trace.asked = "https://aws.example"
    assert f"from https://aws.example ({type(error).__name__})" in _explain(error, trace=trace).cause

"""What AWS's errors mean, in one line for the person who must act."""

import pytest
from botocore import exceptions as aws

from credhelpers.stores.ecr.causes import explain
from credhelpers.stores.ecr.hosts import Registry

REGISTRY = Registry("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1")


def _refusal(
    code: str, message: str = "no", status: int = 400, operation: str = "AssumeRole"
) -> aws.ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(response, operation)


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        ("AccessDenied", 403, "trust it in the role"),
        ("AccessDeniedException", 403, "allow the action"),
        ("ExpiredToken", 403, "renew"),
        ("ExpiredTokenException", 400, "renew"),
        ("InvalidSignatureException", 403, "clock"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("ThrottlingException", 400, "try again"),
        ("SomethingNew", 429, "try again"),
        ("SomethingNew", 500, "try again"),
        ("SomethingNew", 400, "API reference"),
    ],
)
def test_a_refusal_names_operation_code_and_message_and_says_what_to_do(
    code: str, status: int, remedy: str
) -> None:
    told = explain(_refusal(code, "because", status), REGISTRY, {}, metadata_was_silent=False)

    assert f"AssumeRole answered {code}: because" in told.cause
    assert remedy in told.remedy


def test_a_wrong_clock_is_known_by_the_message_too() -> None:
    told = explain(
        _refusal("InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
        REGISTRY,
        {},
        metadata_was_silent=False,
    )

    assert "clock" in told.remedy


def test_without_credentials_a_silent_metadata_service_is_named() -> None:
    silent, absent = (
        explain(aws.NoCredentialsError(), REGISTRY, {}, metadata_was_silent=silent)
        for silent in (True, False)
    )

    assert "metadata service did not answer" in silent.cause
    assert "hop limit" in silent.remedy
    assert "metadata service" not in absent.cause


def test_an_sso_session_names_the_profile_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    error = aws.UnauthorizedSSOTokenError()
    monkeypatch.setenv("AWS_PROFILE", "of-the-environment")
    assert "--profile of-the-environment" in explain(error, REGISTRY, {}, metadata_was_silent=False).remedy

    chosen = explain(error, REGISTRY, {"profile": "prod"}, metadata_was_silent=False)
    assert chosen.remedy.endswith("aws sso login --profile prod")


@pytest.mark.parametrize("message", ["a\nb\x1b[31m", "x" * 100_000, "https://user:hidden@host/?q=hidden"])
def test_somebody_elses_words_are_one_short_line_without_secrets(message: str) -> None:
    told = explain(_refusal("Code", message), REGISTRY, {}, metadata_was_silent=False)

    assert told.cause.isprintable()
    assert len(told.cause) < 1000
    assert "hidden" not in told.cause

"""What Docker's CLI takes from DOCKER_AUTH_CONFIG, and what makes it ignore the variable."""

import pytest

from credhelpers.clients.docker_auth_config import NAME, credentials
from credhelpers.credential import Credential, CredentialError

_AUTH = "YWRhOmNhbmFyeQ=="  # ada:canary


@pytest.mark.parametrize("text", ["", " ", "null", "{}", '{"auths": null}', '{"auths": {}}'])
def test_nothing_in_it(text: str) -> None:
    assert credentials({NAME: text}) == {}


def test_not_set() -> None:
    assert credentials({}) == {}


@pytest.mark.parametrize(
    "text", ['{"auths": {"a.example": {"auth": "%s"}}}', '{"AUTHS": {"a.example": {"Auth": "%s"}}}']
)
def test_a_credential_in_any_case(text: str) -> None:
    assert credentials({NAME: text % _AUTH}) == {"a.example": Credential("ada", "canary")}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "is not valid JSON"),
        ("{}{}", "is not valid JSON"),
        ("[]", "must be an object"),
        ('{"auths": []}', "auths must be an object"),
        ('{"auths": {}, "credHelpers": {}}', "has the key credHelpers"),
        ('{"auths": {"a": {"auth": "YWRhOng=", "email": ""}}}', "has the key email"),
        ('{"auths": {"a": {}}}', "has no auth for a"),
        ('{"auths": {"a": null}}', "has no auth for a"),
        ('{"auths": {"a": "x"}}', "the entry of a must be an object"),
        ('{"auths": {"a": {"auth": 1}}}', "not base64"),
        ('{"auths": {"a": {"auth": "!"}}}', "not base64"),
        ('{"auths": {"a": {"auth": "OmI="}}}', "not base64"),  # :b
        ('{"auths": {"a": {"auth": "YWRh"}}}', "not base64"),  # ada
    ],
)
def test_what_makes_docker_ignore_it(text: str, cause: str) -> None:
    with pytest.raises(CredentialError) as caught:
        credentials({NAME: text})
    assert cause in caught.value.cause
    assert caught.value.fault == "ignored"
    assert caught.value.remedy == "unset DOCKER_AUTH_CONFIG"

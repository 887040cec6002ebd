"""The value that every part speaks of keeps its secret to itself."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.credential import (
    BadRequest,
    Credential,
    CredentialError,
    CredentialsNotFound,
    StoreUnavailable,
)

SECRET = "canary7d1fe02a"


def test_a_repr_does_not_show_the_secret() -> None:
    credential = Credential("alice", SECRET)
    for shown in (
        repr(credential),
        str(credential),
        f"{credential}",
        repr([credential]),
        repr({"x": credential}),
    ):
        assert SECRET not in shown
        assert "alice" in shown


def test_a_traceback_does_not_show_the_secret() -> None:
    credential = Credential("alice", SECRET)
    with pytest.raises(ValueError, match="alice") as caught:
        raise ValueError(credential)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "credential = Credential" in shown
    assert SECRET not in shown


@given(st.text(), st.text(), st.text(), st.text())
def test_equal_parts_make_equal_credentials(username: str, secret: str, other: str, another: str) -> None:
    same = Credential(username, secret) == Credential(other, another)
    assert same == ((username, secret) == (other, another))
    assert Credential(username, secret) == Credential(username, secret)
    assert hash(Credential(username, secret)) == hash(Credential(username, secret))


def test_a_credential_is_equal_to_nothing_else() -> None:
    assert Credential("alice", SECRET) != ("alice", SECRET)


@pytest.mark.parametrize("kind", [BadRequest, CredentialsNotFound, StoreUnavailable])
def test_every_error_has_a_cause_and_a_remedy(kind: type[CredentialError]) -> None:
    error = kind("gpg is missing", "install gnupg")
    assert isinstance(error, CredentialError)
    assert (error.cause, error.remedy, str(error)) == ("gpg is missing", "install gnupg", "gpg is missing")
    assert kind("gpg is missing").remedy == ""


def test_not_found_may_have_nothing_more_to_say() -> None:
    assert CredentialsNotFound().cause == ""

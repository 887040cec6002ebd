"""The rules of the check of a credential that need no process: names, challenges, and an end to patience."""

import pytest
from urllib3 import HTTPHeaderDict

from credhelpers.cli.shared import registry
from credhelpers.cli.shared.connection import Trust
from credhelpers.credential import Credential, CredentialError
from tests.support.aws import Misbehaving, drip


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("docker.io", "registry-1.docker.io"),
        ("https://index.docker.io/v1/", "registry-1.docker.io"),
        ("registry.example:5000/team/app", "registry.example:5000"),
        ("http://[::1]:5000", "[::1]:5000"),
        ("registry.example:5000#team-a", "registry.example:5000"),
    ],
)
def test_a_registry_is_asked_at_its_api(server: str, host: str) -> None:
    assert registry.api_host(server) == host


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (['Basic realm="a, b"'], {"basic": {"realm": "a, b"}}),
        (
            ['Bearer realm="https://t/x",service="s", Basic realm="r"'],
            {"bearer": {"realm": "https://t/x", "service": "s"}, "basic": {"realm": "r"}},
        ),
        (['BASIC realm="r"', 'Bearer realm="t"'], {"basic": {"realm": "r"}, "bearer": {"realm": "t"}}),
    ],
)
def test_every_challenge_of_an_answer_is_read(headers: list[str], found: dict[str, dict[str, str]]) -> None:
    answer = HTTPHeaderDict()
    for header in headers:
        answer.add("WWW-Authenticate", header)

    assert registry.challenges(answer) == found


def test_an_endless_answer_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte each half second keeps any timeout for a single read from running out."""
    monkeypatch.setattr(registry, "_SECONDS", 0.7)
    with Misbehaving(drip) as server, pytest.raises(CredentialError) as raised:
        registry.accepts(server.url, Credential("ada", "secret"), Trust(insecure=True))

    assert raised.value.cause.endswith("did not answer within 0.7 s")
    assert "--no-check" in raised.value.remedy

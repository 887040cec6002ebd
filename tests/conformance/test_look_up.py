"""Which stored key answers for which server: clients spell one registry in many ways."""

import pytest

from tests.conformance.canary import CANARY
from tests.conformance.subjects import every_keeper, reference_deviates
from tests.support.client import Helper

pytestmark = every_keeper

HUB = "https://index.docker.io/v1/"

SAME_PLACE = [
    ("registry.example", "registry.example/"),
    ("registry.example/", "registry.example"),
    ("registry.example", "https://registry.example"),
    ("https://registry.example", "registry.example"),
    ("https://registry.example/", "registry.example"),
    ("registry.example:5000", "https://registry.example:5000/"),
    ("https://registry.example:5000/v1/", "registry.example:5000/v1"),
    ("http://registry.example/", "http://registry.example"),
    ("https://[2001:db8::1]:5000", "[2001:db8::1]:5000"),
]
HUB_NAMES = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "https://index.docker.io/v1",
    "docker.io/library/alpine",
]
BELOW = [
    ("registry.example:5000", "registry.example:5000/team/app"),
    ("registry.example/team", "registry.example/team/app"),
    ("https://registry.example/team/", "registry.example/team/app/x"),
    ("https://registry.example", "https://registry.example/team/app"),
    ("http://registry.example", "http://registry.example/team"),
]
OTHER_PLACES = {
    "http://registry.example": ["registry.example", "https://registry.example"],
    "https://registry.example": ["http://registry.example"],
    "registry.example": [
        "http://registry.example",
        "registry.example:5000",
        "registry.example.evil.example",
        "evilregistry.example",
        "user@registry.example",
        "ftp://registry.example",
    ],
    "registry.example:5000": ["registry.example", "registry.example:5001", "https://registry.example:50000"],
    "registry.example:443": ["https://registry.example"],
    "example": ["registry.example"],
    "registry.example/team": ["registry.example/teams", "registry.example"],
    "registry.example/team/app": ["registry.example/team"],
    HUB: [HUB + "access-token", "docker.io.evil.example", "http://docker.io", "docker.io:5000"],
    HUB + "access-token": [HUB, HUB + "refresh-token"],
    HUB + "refresh-token": ["docker.io", HUB + "access-token"],
}


def _pair(case: tuple[str, str]) -> str:
    return f"{case[0]} for {case[1]}"


@pytest.mark.parametrize("spelled", SAME_PLACE, ids=_pair)
@reference_deviates("knows the exact spelling only")
def test_other_spelling_of_a_server_answers(helper: Helper, spelled: tuple[str, str]) -> None:
    stored, asked = spelled
    helper.store(stored, "alice", CANARY)
    credentials = helper.get(asked).credentials()
    assert (credentials.username, credentials.secret) == ("alice", CANARY)
    assert credentials.server == asked, "the answer echoes what was asked"
    assert helper.stored() == {stored: "alice"}, "the key is kept verbatim"


@pytest.mark.parametrize("name", HUB_NAMES)
@reference_deviates("knows the exact spelling only")
def test_docker_hub_answers_to_all_its_names(helper: Helper, name: str) -> None:
    helper.store(HUB, "alice", CANARY)
    assert helper.get(name).credentials().username == "alice"


@pytest.mark.parametrize("nested", BELOW, ids=_pair)
@reference_deviates("knows the exact spelling only")
def test_key_answers_for_paths_below_it(helper: Helper, nested: tuple[str, str]) -> None:
    stored, asked = nested
    helper.store(stored, "alice", CANARY)
    assert helper.get(asked).credentials().username == "alice"


@pytest.mark.parametrize("stored", OTHER_PLACES)
def test_key_never_answers_for_another_server(helper: Helper, stored: str) -> None:
    helper.store(stored, "alice", CANARY)
    assert helper.get(stored).found
    for asked in OTHER_PLACES[stored]:
        assert not helper.get(asked).found, asked


@reference_deviates("knows the exact spelling only")
def test_nearest_key_answers_first(helper: Helper) -> None:
    order = [
        "h.example/a/b",
        "h.example/a/b/",
        "https://h.example/a/b",
        "h.example/a",
        "https://h.example/a/",
        "h.example",
    ]
    for number, key in enumerate(order):
        helper.store(key, f"user{number}", CANARY)
    for number, key in enumerate(order):
        assert helper.get("h.example/a/b").credentials().username == f"user{number}"
        helper.erase(key)
    assert not helper.get("h.example/a/b").found

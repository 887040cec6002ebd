"""Our docker-credential-keyring and the reference docker-credential-secretservice share one keyring."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.client import Credentials, Helper
from tests.support.keyring import SecretService
from tests.support.tools import require

SERVERS = [
    "https://index.docker.io/v1/",
    "registry.example",
    "registry.example:5000/a/b",
    "registry.example/ü",
]
CREDENTIALS = [
    Credentials("registry.example", "alice", "s3cret"),
    Credentials("registry.example", "<token>", "eyJhbGciOi.<&>"),
    Credentials("registry.example", "ålice 🔑", "pässwörd-☃"),
    Credentials("registry.example", "team/project/bot", "first line\nsecond\n\nfourth"),
]
MANY = 100


@dataclass(frozen=True)
class Shared:
    """Those who use one keyring."""

    ours: Helper
    reference: Helper


@pytest.fixture
def shared(secret_service_env: dict[str, str], installed: Path) -> Shared:
    reference = Path(require("docker-credential-secretservice", "golang-docker-credential-helpers"))
    return Shared(
        Helper(installed / "docker-credential-keyring", secret_service_env),
        Helper(reference, secret_service_env),
    )


def put(helper: Helper, credentials: Credentials) -> None:
    answer = helper.store(credentials.server, credentials.username, credentials.secret)
    assert answer.code == 0, answer


@pytest.mark.parametrize("server", SERVERS)
def test_ours_works_on_what_the_reference_stored(
    shared: Shared, server: str, secret_service: SecretService
) -> None:
    stored = Credentials(server, "alice", "s3cret")
    put(shared.reference, stored)
    assert shared.ours.get(server).credentials() == stored
    assert shared.ours.stored() == {server: "alice"}
    assert shared.ours.erase(server).code == 0
    assert secret_service.items() == []


@pytest.mark.parametrize("server", SERVERS)
def test_the_reference_works_on_what_ours_stored(
    shared: Shared, server: str, secret_service: SecretService
) -> None:
    stored = Credentials(server, "alice", "s3cret")
    put(shared.ours, stored)
    assert shared.reference.get(server).credentials() == stored
    assert shared.reference.stored() == {server: "alice"}
    assert shared.reference.erase(server).code == 0
    assert secret_service.items() == []


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=repr)
def test_each_reads_the_others_secrets(
    shared: Shared, credentials: Credentials, secret_service: SecretService
) -> None:
    put(shared.reference, credentials)
    assert shared.ours.get(credentials.server).credentials() == credentials
    put(shared.ours, credentials)
    assert shared.reference.get(credentials.server).credentials() == credentials
    assert len(secret_service.items()) == 1, "ours takes the place of the reference's item"


def test_both_give_an_item_the_same_attributes(shared: Shared, secret_service: SecretService) -> None:
    stored = Credentials("registry.example", "alice", "s3cret")
    put(shared.reference, stored)
    (theirs,) = secret_service.items()
    secret_service.clear()
    put(shared.ours, stored)
    (item,) = secret_service.items()
    assert item.attributes == theirs.attributes
    assert item.secret == theirs.secret


def test_ours_replaces_the_references_username(shared: Shared, secret_service: SecretService) -> None:
    put(shared.reference, Credentials("registry.example", "alice", "old"))
    put(shared.reference, Credentials("registry.example", "bob", "old, too"))
    newest = Credentials("registry.example", "carol", "new")
    put(shared.ours, newest)
    assert shared.reference.get(newest.server).credentials() == newest
    assert len(secret_service.items()) == 1


@pytest.mark.parametrize(
    "label", ["https://registry.example", "Registry credentials for https://registry.example"]
)
def test_ours_lists_servers_of_any_label(shared: Shared, secret_service: SecretService, label: str) -> None:
    attributes = {
        "xdg:schema": "io.docker.Credentials",
        "label": "Docker Credentials",
        "server": "https://registry.example",
        "username": "alice",
        "docker_cli": "1",
    }
    secret_service.add(label, attributes, b"s3cret")
    assert shared.ours.stored() == {"https://registry.example": "alice"}
    assert shared.ours.get("https://registry.example").credentials().secret == "s3cret"


def test_items_of_other_programs_are_left_alone(shared: Shared, secret_service: SecretService) -> None:
    secret_service.add("Mail", {"server": "registry.example", "username": "alice"}, b"private")
    assert not shared.ours.get("registry.example").found
    put(shared.ours, Credentials("registry.example", "alice", "s3cret"))
    assert shared.ours.stored() == {"registry.example": "alice"}
    shared.ours.erase("registry.example")
    assert [item.label for item in secret_service.items()] == ["Mail"]


def test_both_list_the_same_hundred_servers(shared: Shared) -> None:
    servers = {f"registry{number}.example:5000": f"user{number}" for number in range(MANY)}
    for number, (server, username) in enumerate(servers.items()):
        put(shared.reference if number % 20 else shared.ours, Credentials(server, username, "s3cret"))
    assert shared.reference.stored() == servers
    assert shared.ours.stored() == servers

"""docker-credential-keyring on a real gnome-keyring: what it keeps, replaces, finds and never loses."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import secretstorage
from jeepney.io.blocking import open_dbus_connection

from tests.support.client import Answer, Helper
from tests.support.keyring import Item, SecretService, private_secret_service

SERVER = "https://registry.example"
MANY = 1000
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def helper(installed: Path, secret_service_env: dict[str, str]) -> Helper:
    return Helper(installed / "docker-credential-keyring", secret_service_env)


def docker_attributes(server: str, username: str) -> dict[str, str]:
    """Return the attributes that docker-credential-secretservice gives to its items."""
    return {
        "xdg:schema": "io.docker.Credentials",
        "label": "Docker Credentials",
        "server": server,
        "username": username,
        "docker_cli": "1",
    }


def keyring_package_attributes(service: str, username: str) -> dict[str, str]:
    """Return the attributes that `keyring set` gives to its items."""
    return {"service": service, "username": username, "application": "Python keyring library"}


def concurrently(calls: list[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def test_an_item_is_as_the_references(helper: Helper, secret_service: SecretService) -> None:
    assert helper.store(SERVER, "alice", "s3cret").code == 0
    assert secret_service.items() == [Item(SERVER, docker_attributes(SERVER, "alice"), b"s3cret")]


def test_another_username_replaces_the_item(helper: Helper, secret_service: SecretService) -> None:
    helper.store(SERVER, "alice", "old")
    helper.store(SERVER, "bob", "new")
    assert secret_service.items() == [Item(SERVER, docker_attributes(SERVER, "bob"), b"new")]


def test_a_secret_of_one_mebibyte_survives(helper: Helper) -> None:
    secret = "é\n" + "x" * ((1 << 20) - 3)
    assert helper.store(SERVER, "alice", secret).code == 0
    assert helper.get(SERVER).credentials().secret == secret


def test_the_newest_item_answers(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", docker_attributes(SERVER, "bob"), b"first")
    secret_service.add("any", docker_attributes(SERVER, "alice"), b"second")
    assert helper.get(SERVER).credentials().username == "alice"
    assert helper.stored() == {SERVER: "alice"}


def test_the_spelling_that_comes_first_answers(helper: Helper, secret_service: SecretService) -> None:
    for server in (
        "registry.example",
        "registry.example/",
        "https://registry.example",
        "http://registry.example",
    ):
        secret_service.add("any", docker_attributes(server, f"of {server}"), b"s3cret")
    assert helper.get("https://registry.example/team").credentials().username == "of https://registry.example"
    assert helper.get("registry.example/team").credentials().username == "of registry.example"
    assert helper.get("http://registry.example/").credentials().username == "of http://registry.example"


def test_an_item_of_the_keyring_package_is_found(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", keyring_package_attributes("registry.example", "alice"), b"s3cret")
    answer = helper.get("https://registry.example/team/app").credentials()
    assert (answer.username, answer.secret) == ("alice", "s3cret")


def test_dockers_item_comes_first(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", keyring_package_attributes(SERVER, "alice"), b"old")
    secret_service.add("any", docker_attributes("registry.example", "bob"), b"new")
    assert helper.get(SERVER).credentials().username == "bob"


def test_a_logout_removes_every_form(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", keyring_package_attributes(SERVER, "alice"), b"old")
    helper.store(SERVER, "alice", "new")
    assert helper.erase(SERVER).code == 0
    assert not helper.get(SERVER).found
    assert secret_service.items() == []


def test_other_items_are_not_listed(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", keyring_package_attributes("mail", "alice"), b"s3cret")
    assert helper.stored() == {}


def test_bad_items_cost_only_themselves(helper: Helper, secret_service: SecretService) -> None:
    helper.store(SERVER, "alice", "s3cret")
    for server, username in (("line\nfeed.example", "a"), ("a.example", "\x1b[2J"), ("", "a")):
        secret_service.add("any", docker_attributes(server, username), b"x")
    answer = helper.list()
    assert answer.value() == {SERVER: "alice"}
    assert sorted(answer.err.decode().splitlines()) == [
        "the keyring: a.example is not listed: its username contains a control character",
        "the keyring: an entry is not listed: it has no server URL",
        "the keyring: line\\nfeed.example is not listed: the server URL contains a control character",
    ]
    answer = helper.get("a.example")
    assert (answer.code, answer.out) == (1, b"the stored username contains a control character\n")


def test_a_binary_secret_is_an_error(helper: Helper, secret_service: SecretService) -> None:
    secret_service.add("any", docker_attributes(SERVER, "alice"), b"\xff\xfe")
    answer = helper.get(SERVER)
    assert (answer.code, answer.out) == (1, b"the secret in the keyring is not valid UTF-8\n")


def test_twenty_writers_of_one_server(helper: Helper, secret_service: SecretService) -> None:
    helper.store(SERVER, "user", "secret of user")

    def store(number: int) -> Callable[[], Answer]:
        return lambda: helper.store(SERVER, f"user{number}", f"secret of user{number}")

    answers = concurrently([store(number) for number in range(20)] + [lambda: helper.get(SERVER)] * 20)
    assert [answer for answer in answers if answer.code != 0] == []
    for answer in [*answers[20:], helper.get(SERVER)]:
        found = answer.credentials()
        assert found.secret == f"secret of {found.username}"
    assert len(secret_service.items()) == 1


def test_twenty_writers_of_many_servers(helper: Helper) -> None:
    servers = {f"registry{number}.example": f"user{number}" for number in range(20)}

    def store(server: str, username: str) -> Callable[[], Answer]:
        return lambda: helper.store(server, username, "s3cret")

    answers = concurrently([store(server, username) for server, username in servers.items()])
    assert [answer for answer in answers if answer.code != 0] == []
    assert helper.stored() == servers


def test_a_get_imports_nothing_needless(helper: Helper) -> None:
    assert helper.store(SERVER, "alice", "s3cret").code == 0
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); sys.argv = ['', 'get']\n"
        "from credhelpers.executables import run\n"
        "run('keyring'); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        env=dict(helper.env),
        input=SERVER.encode(),
        capture_output=True,
        check=True,
    )
    assert b"s3cret" in done.stdout
    heavy = {
        "asyncio",
        "cryptography",
        "importlib.metadata",
        "json",
        "keyring",
        "logging",
        "secretstorage",
        "subprocess",
    }
    assert heavy.isdisjoint(done.stderr.decode().split())


def test_a_thousand_servers_are_listed_and_answer(installed: Path, private_env: dict[str, str]) -> None:
    servers = {f"registry{number}.example:5000": f"user{number}" for number in range(MANY)}
    with private_secret_service() as service:
        with closing(open_dbus_connection(bus=service.bus)) as connection:
            # In memory: the default collection would be written to disk a thousand times, whole.
            collection = secretstorage.Collection(connection, "/org/freedesktop/secrets/collection/session")
            for server, username in servers.items():
                collection.create_item(server, docker_attributes(server, username), username.encode())
        helper = Helper(installed / "docker-credential-keyring", {**private_env, **service.env})
        assert helper.stored() == servers
        for number in (0, MANY // 2, MANY - 1):
            answer = helper.get(f"https://registry{number}.example:5000/team/app").credentials()
            assert (answer.username, answer.secret) == (f"user{number}", f"user{number}")

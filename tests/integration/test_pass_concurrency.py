"""Many helpers at once on one password store, and helpers that are killed: nothing lost, nothing torn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.client import Credentials, Helper
from tests.support.fatal_steps import kill_at_each_step

SERVER = "https://registry.example/v1/"
AT_ONCE = 20


@pytest.fixture
def store(password_store_env: dict[str, str], installed: Path) -> Store:
    directory = Path(password_store_env["HOME"], ".password-store")
    return Store(Helper(installed / "docker-credential-pass", password_store_env), directory)


def at_once(work: Callable[[int], None], count: int = AT_ONCE) -> None:
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work, number) for number in range(count)]:
            done.result()


def test_stores_of_many_servers_at_once_lose_none(store: Store) -> None:
    def work(number: int) -> None:
        answer = store.helper.store(f"registry-{number}.example", f"user {number}", f"secret {number}")
        assert answer.code == 0, answer
        assert store.secret(f"registry-{number}.example") == f"secret {number}"

    at_once(work)
    assert store.helper.stored() == {
        f"registry-{number}.example": f"user {number}" for number in range(AT_ONCE)
    }


@pytest.mark.parametrize("usernames", ["one username", "many usernames"])
def test_stores_and_gets_see_whole_entries(store: Store, usernames: str) -> None:
    def username(number: int) -> str:
        return "me" if usernames == "one username" else f"user/{number}"

    def secret(number: int) -> str:
        return f"{number} " * 5000

    assert store.helper.store(SERVER, username(0), secret(0)).code == 0
    valid = {(username(number), secret(number)) for number in range(AT_ONCE)}

    def work(number: int) -> None:
        if number % 2:
            answer = store.helper.store(SERVER, username(number), secret(number))
            assert answer.code == 0, answer
            return
        for _ in range(4):
            found = store.helper.get(SERVER)
            assert found.code == 0, found
            assert (found.credentials().username, found.credentials().secret) in valid
        assert set(store.helper.stored()) == {SERVER}

    at_once(work)
    assert len(store.files()) == 1


def test_stores_and_erases_at_once_all_succeed(store: Store) -> None:
    def work(number: int) -> None:
        if number % 2:
            answer = store.helper.store(SERVER, f"user/{number}", f"secret {number}")
        else:
            answer = store.helper.erase(SERVER)
        assert answer.code == 0, answer

    at_once(work)
    answer = store.helper.get(SERVER)
    if answer.found:
        found = answer.credentials()
        assert found.username.removeprefix("user/") == found.secret.removeprefix("secret ")
    assert len(store.files()) == (1 if answer.found else 0)


@pytest.mark.parametrize("newer", ["me", "someone/else"])
def test_a_killed_store_leaves_old_or_new(store: Store, newer: str) -> None:
    old, new = ("me", "old " * 1000), (newer, "new " * 1000)
    assert store.helper.store(SERVER, *old).code == 0
    seen = []
    for step in kill_at_each_step("pass", "store", Credentials(SERVER, *new).to_json(), store.helper.env):
        found = store.helper.get(SERVER).credentials()
        assert (found.username, found.secret) in (old, new), step
        assert store.helper.stored() == {SERVER: found.username}
        seen.append(found.secret)
        assert store.helper.store(SERVER, *old).code == 0
    assert seen[:2] == [new[1], old[1]] and seen[-1] == new[1]
    assert store.helper.store(SERVER, *new).code == 0
    assert [Path(name).name for name in store.files()] == [Path(newer).name + ".gpg"], "nothing is left over"


def test_a_killed_erase_leaves_the_entry_or_none(store: Store) -> None:
    assert store.helper.store(SERVER, "team/robot", "secret").code == 0
    seen = []
    for _ in kill_at_each_step("pass", "erase", SERVER.encode(), store.helper.env):
        answer = store.helper.get(SERVER)
        assert not answer.found or answer.credentials().secret == "secret"
        seen.append(answer.found)
        assert store.helper.store(SERVER, "team/robot", "secret").code == 0
    assert seen[:2] == [False, True] and seen[-1] is False
    assert store.helper.erase(SERVER).code == 0
    assert store.files() == set()

"""Many helpers at once on one password store, and helpers that are killed: nothing lost, nothing torn."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.client import Credentials, Helper

SERVER = "https://registry.example/v1/"
AT_ONCE = 20
KILLS = 40


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
def test_stores_and_gets_of_one_server_at_once_never_meet_a_torn_or_missing_entry(
    store: Store, usernames: str
) -> None:
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


def test_stores_and_erases_of_one_server_at_once_all_succeed(store: Store) -> None:
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
def test_a_helper_killed_while_it_stores_leaves_the_old_entry_or_the_new_one(
    store: Store, newer: str
) -> None:
    old, new = ("me", "old " * 1000), (newer, "new " * 1000)
    assert store.helper.store(SERVER, *old).code == 0
    request = Credentials(SERVER, *new).to_json()
    command = [str(store.helper.executable), "store"]
    started = time.monotonic()
    subprocess.run(command, input=request, env=dict(store.helper.env), check=True)
    whole = time.monotonic() - started
    seen = set()
    for kill in range(KILLS):
        assert store.helper.store(SERVER, *old).code == 0
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=dict(store.helper.env)) as helper:
            assert helper.stdin is not None
            helper.stdin.write(request)
            helper.stdin.close()
            try:
                helper.wait(timeout=whole * 1.2 * kill / KILLS)
            except subprocess.TimeoutExpired:
                helper.kill()
        found = store.helper.get(SERVER).credentials()
        assert (found.username, found.secret) in (old, new)
        assert store.helper.stored() == {SERVER: found.username}
        seen.add(found.secret)
    assert seen == {old[1], new[1]}, "the kills did not fall on both sides of the change"
    assert store.helper.store(SERVER, *new).code == 0
    assert [Path(name).name for name in store.files()] == [Path(newer).name + ".gpg"], "nothing is left over"


def test_a_helper_killed_while_it_erases_leaves_the_entry_or_none(store: Store) -> None:
    command = [str(store.helper.executable), "erase"]
    seen = set()
    whole = 0.0
    for kill in range(KILLS // 2):
        assert store.helper.store(SERVER, "team/robot", "secret").code == 0
        started = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=dict(store.helper.env)) as helper:
            assert helper.stdin is not None
            helper.stdin.write(SERVER.encode())
            helper.stdin.close()
            try:
                helper.wait(timeout=30 if kill == 0 else whole * 1.2 * kill / (KILLS // 2))
            except subprocess.TimeoutExpired:
                helper.kill()
        whole = whole or time.monotonic() - started
        answer = store.helper.get(SERVER)
        assert not answer.found or answer.credentials().secret == "secret"
        seen.add(answer.found)
    assert seen == {True, False}
    assert store.helper.erase(SERVER).code == 0
    assert store.files() == set()

"""The token cache and the life of a token, with the clock as an argument."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers import files
from credhelpers.config import Settings
from credhelpers.credential import CredentialsNotFound
from credhelpers.log import Log
from credhelpers.stores.tokens.cache import Entry, Token, shared_name, stored_name
from credhelpers.stores.tokens.storage import Directory, Nothing
from credhelpers.stores.tokens.upkeep import cached_hosts, prune

HOUR = 3600.0
LONGEST = 12 * HOUR
NOW = float(int(time.time()))
NAME = shared_name("north", "key")
HOST = "registry.example"


def storage_at(path: object) -> Directory:
    return Directory(str(path), Log("test", None, Settings({})), "docker-credential-test")


@pytest.fixture
def storage(tmp_path: Path) -> Directory:
    return storage_at(tmp_path / "tokens")


@pytest.fixture
def entry(storage: Directory) -> Entry:
    return Entry(storage, NAME, "key", LONGEST)


def _token(issued: float = NOW, expires: float = NOW + LONGEST, password: str = "p") -> Token:
    return Token("me", password, issued, expires, LONGEST, (HOST,))


def never() -> bool:
    return False


def test_a_token_is_valid_until_its_end() -> None:
    token = _token()

    valid = [token.is_valid(NOW + hours * HOUR) for hours in (-24, -1, 0, 6, 11.99, 12, 36)]

    assert valid == [False, False, True, True, True, False, False]


def test_a_token_is_fresh_for_half_its_life() -> None:
    token = _token()

    assert [token.is_fresh(NOW + hours * HOUR) for hours in (0, 5.99, 6, 11)] == [True, True, False, False]


@given(st.floats(0, 4e9), st.floats(0, 1e15), st.floats())
def test_the_longest_life_bounds_a_token(issued: float, expires: float, now: float) -> None:
    token = _token(issued, expires)

    if token.is_valid(now):
        assert -301 <= now - issued < LONGEST
        assert now < expires


@pytest.mark.parametrize("wrong", ["nan", "inf", "-inf", "soon", ""])
@pytest.mark.parametrize("line", [2, 3])
def test_a_damaged_time_is_not_believed(entry: Entry, tmp_path: Path, wrong: str, line: int) -> None:
    entry.save(_token())
    file = tmp_path / "tokens" / NAME
    lines = file.read_text().split("\n")
    lines[line] = wrong
    file.write_text("\n".join(lines))

    loaded = entry.load(NOW)

    # No end at all is the longest life.
    assert loaded is None or (loaded.issued, loaded.expires) == (NOW, NOW + LONGEST)


def test_what_is_saved_is_loaded(entry: Entry) -> None:
    entry.save(_token())

    loaded = entry.load(NOW)

    assert loaded is not None
    assert [getattr(loaded, name) for name in Token.__slots__] == [
        getattr(_token(), name) for name in Token.__slots__
    ]


def test_only_a_valid_token_is_loaded(entry: Entry) -> None:
    entry.save(_token())

    assert entry.load(NOW + LONGEST) is None
    assert entry.load(NOW - 24 * HOUR) is None


def test_another_key_gets_no_token(entry: Entry, storage: Directory) -> None:
    entry.save(_token())

    assert Entry(storage, NAME, "other key", LONGEST).load(NOW) is None


def test_a_failure_is_kept_for_a_while(entry: Entry, storage: Directory) -> None:
    entry.save_failure(CredentialsNotFound("cause", "remedy"), NOW)

    failure = entry.load_failure(NOW + 59, 60)
    assert failure is not None
    assert (failure.cause, failure.remedy) == ("cause", "remedy")
    assert Entry(storage, NAME, "other key", LONGEST).load_failure(NOW + 1, 60) is None
    assert entry.load_failure(NOW + 61, 60) is None
    assert entry.load_failure(NOW - 10, 60) is None


@pytest.mark.parametrize(("username", "password"), [("me", "a\nb"), ("m\ne", "p")])
def test_a_line_break_is_not_saved(entry: Entry, username: str, password: str) -> None:
    assert not entry.save(Token(username, password, NOW, NOW + HOUR, LONGEST))

    assert entry.load(NOW) is None


def test_dropping_forgets_token_and_failure(entry: Entry) -> None:
    entry.save(_token())
    entry.save_failure(CredentialsNotFound("cause"), NOW)

    entry.drop()
    entry.drop()

    assert entry.load(NOW) is None
    assert entry.load_failure(NOW, 60) is None


def test_a_token_erased_meanwhile_is_not_kept(entry: Entry) -> None:
    entry.save(_token())
    before = entry.erasure()
    entry.drop()

    assert not entry.save(_token(), before)
    assert entry.load(NOW) is None


def test_hosts_are_those_of_valid_tokens(entry: Entry, storage: Directory) -> None:
    entry.save(_token())
    login = Entry(storage, stored_name("a.example"), "", LONGEST)
    login.save(Token("you", "p", NOW, NOW + HOUR, LONGEST, ("a.example",)))
    entry.save_failure(CredentialsNotFound("cause"), NOW)

    assert cached_hosts(storage, LONGEST, NOW) == {HOST: "me", "a.example": "you"}
    assert cached_hosts(storage, LONGEST, NOW + 2 * HOUR) == {HOST: "me"}
    assert cached_hosts(storage, LONGEST, NOW + 13 * HOUR) == {}


def test_old_files_are_removed(storage: Directory, entry: Entry, tmp_path: Path) -> None:
    entry.save(_token())
    old = [shared_name("south", "old"), shared_name("south", "old") + ".failed", stored_name("a.example")]
    kept = ["2024-notes.txt", "README"]
    for name in (*old, *kept):
        (tmp_path / "tokens" / name).write_text("x")

    os.utime(tmp_path / "tokens" / NAME, (0, 0))  # which is not the time of the last change

    prune(storage, time.time() - HOUR)
    assert (tmp_path / "tokens" / old[0]).exists()
    prune(storage, time.time() + HOUR)

    assert sorted(path.name for path in (tmp_path / "tokens").iterdir()) == kept


def test_an_old_lock_that_is_held_stays(storage: Directory, tmp_path: Path) -> None:
    held, left = (Entry(storage, shared_name("south", key), key, LONGEST) for key in ("held", "left"))
    with held.lock(1, never), left.lock(1, never):
        pass
    with held.lock(1, never):
        prune(storage, time.time() + HOUR)
        assert (tmp_path / "tokens" / f"{held.name}.lock").exists()
        assert not (tmp_path / "tokens" / f"{left.name}.lock").exists()


def test_many_can_make_the_directory_at_once(tmp_path: Path) -> None:
    for attempt in range(50):
        deep = str(tmp_path / str(attempt) / "a" / "b" / "c")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(files.make_private_directory, [deep] * 8))


def test_without_storage_nothing_is_kept() -> None:
    entry = Entry(Nothing(), NAME, "key", LONGEST)
    assert not entry.save(_token())
    entry.save_failure(CredentialsNotFound("cause"), NOW)
    entry.drop()

    assert entry.load(NOW) is None
    assert entry.load_failure(NOW, 60) is None
    assert cached_hosts(entry.storage, LONGEST, NOW) == {}
    with pytest.raises(OSError, match=NAME):
        entry.lock(1, never)


@given(st.floats(0, 4e9), st.floats(1, LONGEST))
def test_a_token_is_the_same_when_loaded(issued: float, lifetime: float) -> None:
    with TemporaryDirectory() as directory:
        entry = Entry(storage_at(directory), NAME, "key", LONGEST)
        token = _token(issued, issued + lifetime)
        entry.save(token)
        loaded = entry.load(token.issued)

    assert (loaded is None) == (token.issued >= token.expires)
    if loaded:
        assert (loaded.issued, loaded.expires) == (token.issued, token.expires)
        assert loaded.renew_at == token.renew_at
        assert loaded.expires <= issued + lifetime


@pytest.mark.parametrize("fraction", [0.0, 0.49, 0.51, 0.99])
def test_a_failure_counts_from_its_moment_on(entry: Entry, fraction: float) -> None:
    entry.save_failure(CredentialsNotFound("cause"), NOW + fraction)

    assert entry.load_failure(NOW + fraction, 60) is not None


def test_names_differ_by_scope_and_identity() -> None:
    names = {shared_name(scope, key) for scope in ("north", "south") for key in ("a", "b")}

    assert len(names) == 4
    assert all("/" not in name for name in names)

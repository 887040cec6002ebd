"""The token cache and the life of a token, with the clock as an argument."""

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
from credhelpers.stores.ecr.tokens import LONGEST_LIFE, NoCache, Token, TokenCache, shared_name, stored_name

HOUR = 3600.0
NOW = float(int(time.time()))
NAME = shared_name("eu-central-1", "key")
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(str(tmp_path / "tokens"), Log("ecr-login", None, Settings({})))


def _token(issued: float = NOW, expires: float = NOW + 12 * HOUR, password: str = "p") -> Token:
    return Token("AWS", password, issued, expires, (HOST,))


def test_a_token_is_valid_from_its_issue_to_its_end() -> None:
    token = _token()

    assert [token.is_valid(NOW + hours * HOUR) for hours in (-24, -1, 0, 6, 11.99, 12, 36)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_token_is_fresh_in_the_first_half_of_its_life() -> None:
    token = _token()

    assert [token.is_fresh(NOW + hours * HOUR) for hours in (0, 5.99, 6, 11)] == [True, True, False, False]


@given(st.floats(0, 4e9), st.floats(0, 1e15), st.floats())
def test_no_token_is_valid_for_longer_than_its_longest_life(
    issued: float, expires: float, now: float
) -> None:
    token = _token(issued, expires)

    if token.is_valid(now):
        assert -301 <= now - issued < LONGEST_LIFE
        assert now < expires


@pytest.mark.parametrize("wrong", ["nan", "inf", "-inf", "soon", ""])
@pytest.mark.parametrize("line", [2, 3])
def test_a_file_with_a_time_that_is_none_holds_no_token(
    cache: TokenCache, tmp_path: Path, wrong: str, line: int
) -> None:
    cache.save(NAME, "key", _token())
    file = tmp_path / "tokens" / NAME
    lines = file.read_text().split("\n")
    lines[line] = wrong
    file.write_text("\n".join(lines))

    loaded = cache.load(NAME, "key")

    # No end at all is the longest life.
    assert loaded is None or (loaded.issued, loaded.expires) == (NOW, NOW + LONGEST_LIFE)


def test_what_is_saved_is_loaded(cache: TokenCache) -> None:
    cache.save(NAME, "key", _token())

    loaded = cache.load(NAME, "key")

    assert loaded is not None
    assert [getattr(loaded, name) for name in Token.__slots__] == [
        getattr(_token(), name) for name in Token.__slots__
    ]


def test_a_token_of_another_key_is_not_given_though_the_names_collide(cache: TokenCache) -> None:
    cache.save(NAME, "key", _token())

    assert cache.load(NAME, "other key") is None


def test_a_failure_is_told_for_a_while_to_the_same_key(cache: TokenCache) -> None:
    cache.save_failure(NAME, "key", CredentialsNotFound("cause", "remedy"), NOW)

    told = cache.load_failure(NAME, "key", NOW + 59, 60)
    assert told is not None
    assert (told.cause, told.remedy) == ("cause", "remedy")
    assert cache.load_failure(NAME, "other key", NOW + 1, 60) is None
    assert cache.load_failure(NAME, "key", NOW + 61, 60) is None
    assert cache.load_failure(NAME, "key", NOW - 10, 60) is None


@pytest.mark.parametrize(("username", "password"), [("AWS", "a\nb"), ("A\nWS", "p")])
def test_what_would_make_another_line_is_not_saved(cache: TokenCache, username: str, password: str) -> None:
    cache.save(NAME, "key", Token(username, password, NOW, NOW + HOUR))

    assert cache.load(NAME, "key") is None


def test_dropping_forgets_the_token_and_the_failure(cache: TokenCache) -> None:
    cache.save(NAME, "key", _token())
    cache.save_failure(NAME, "key", CredentialsNotFound("cause"), NOW)

    cache.drop(NAME)
    cache.drop(NAME)

    assert cache.load(NAME, "key") is None
    assert cache.load_failure(NAME, "key", NOW, 60) is None


def test_hosts_are_those_of_valid_tokens(cache: TokenCache) -> None:
    cache.save(NAME, "key", _token())
    cache.save(stored_name("a.example"), "", Token("me", "p", NOW, NOW + HOUR, ("a.example",)))
    cache.save_failure(NAME, "key", CredentialsNotFound("cause"), NOW)

    assert cache.hosts(NOW) == {HOST: "AWS", "a.example": "me"}
    assert cache.hosts(NOW + 2 * HOUR) == {HOST: "AWS"}
    assert cache.hosts(NOW + 13 * HOUR) == {}


def test_old_files_of_the_cache_are_swept_when_a_token_is_saved(cache: TokenCache, tmp_path: Path) -> None:
    cache.save(NAME, "key", _token())
    old = [
        shared_name("eu-west-1", "old"),
        shared_name("eu-west-1", "old") + ".failed",
        stored_name("a.example"),
    ]
    kept = ["README", "2024-notes.txt"]
    for name in (*old, *kept):
        (tmp_path / "tokens" / name).write_text("x")

    tomorrow = time.time() + 25 * HOUR
    cache.save(NAME, "key", _token(tomorrow, tomorrow + HOUR))

    assert sorted(path.name for path in (tmp_path / "tokens").iterdir()) == sorted([NAME, *kept])


def test_a_lock_that_is_held_is_not_swept_however_old_it_is(cache: TokenCache, tmp_path: Path) -> None:
    held, left = (tmp_path / "tokens" / f"{shared_name('eu-west-1', key)}.lock" for key in ("held", "left"))
    tomorrow = time.time() + 25 * HOUR
    with cache.lock(shared_name("eu-west-1", "held"), 1), cache.lock(shared_name("eu-west-1", "left"), 1):
        pass
    with cache.lock(shared_name("eu-west-1", "held"), 1):
        cache.save(NAME, "key", _token(tomorrow, tomorrow + HOUR))
        assert held.exists()
        assert not left.exists()


def test_many_that_start_at_once_make_the_directory_together(tmp_path: Path) -> None:
    for attempt in range(50):
        deep = str(tmp_path / str(attempt) / "a" / "b" / "c")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(files.make_private_directory, [deep] * 8))


def test_without_a_cache_nothing_is_kept_and_nothing_fails() -> None:
    cache = NoCache()
    cache.save(NAME, "key", _token())
    cache.save_failure(NAME, "key", CredentialsNotFound("cause"), NOW)
    cache.drop(NAME)

    assert cache.load(NAME, "key") is None
    assert cache.load_failure(NAME, "key", NOW, 60) is None
    assert cache.hosts(NOW) == {}
    with pytest.raises(OSError, match=NAME):
        cache.lock(NAME, 1)


@given(st.floats(0, 4e9), st.floats(1, LONGEST_LIFE))
def test_a_token_is_the_same_out_of_the_cache(issued: float, lifetime: float) -> None:
    with TemporaryDirectory() as directory:
        cache = TokenCache(directory, Log("ecr-login", None, Settings({})))
        token = _token(issued, issued + lifetime)
        cache.save(NAME, "key", token)
        loaded = cache.load(NAME, "key")

    assert loaded is not None
    assert (loaded.issued, loaded.expires, loaded.renew_at) == (token.issued, token.expires, token.renew_at)
    assert loaded.expires <= issued + lifetime


@pytest.mark.parametrize("fraction", [0.0, 0.49, 0.51, 0.99])
def test_a_failure_is_told_from_its_very_moment_on(cache: TokenCache, fraction: float) -> None:
    cache.save_failure(NAME, "key", CredentialsNotFound("cause"), NOW + fraction)

    assert cache.load_failure(NAME, "key", NOW + fraction, 60) is not None

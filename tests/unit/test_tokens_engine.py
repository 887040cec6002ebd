"""The token engine with an issuer of no cloud: what an issuer has to bring, and what the engine does."""

import os
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from credhelpers import files
from credhelpers.config import Settings
from credhelpers.credential import CredentialsNotFound
from credhelpers.log import Log
from credhelpers.stores.tokens import Request, TokenEngine
from credhelpers.stores.tokens.cache import Entry, Token, shared_name, stored_name
from credhelpers.stores.tokens.fast_path import absolute_path, as_it_is, selection
from credhelpers.stores.tokens.storage import Directory, Nothing

LIFE = 4000.0
"""Seconds; the longest that a token of this issuer lives."""
PROCESSES = 4


class Mint:
    """An issuer: serves `*.toy` in zones, and counts its calls in a file that all processes see.

    Args:
        path: Where it keeps its count and the tokens.
        user: The identity that asks.

    Attributes:
        fault: Why it gives no token.
        age: Seconds by which its tokens are older than the call.
        seconds: How long a call takes.
        during: Runs while a call is under way.
    """

    def __init__(self, path: Path, user: str = "ada") -> None:
        self.path = path
        self.user = user
        self.storage: Directory | Nothing = Directory(
            str(path / "tokens"), Log("toy", None, Settings({})), "docker-credential-toy"
        )
        self.fault = ""
        self.age = 0.0
        self.seconds = 0.0
        self.during: Callable[[], object] = int
        self.engine = TokenEngine(
            Log("toy", str(path), Settings({})), last_seconds=500, failure_seconds=600, lock_seconds=30
        )

    @property
    def calls(self) -> int:
        path = self.path / "calls"
        return len(path.read_text()) if path.exists() else 0

    def request(self, host: str = "a.north.toy", **conditions: str) -> Request:
        name, zone, top = host.split(".")
        assert top == "toy", name
        variables = {"TOY_USER": as_it_is, "TOY_FILE": absolute_path}
        return Request(
            host,
            Entry(self.storage, shared_name(zone, self.user), self.user, LIFE),
            Entry(self.storage, stored_name(host), "", LIFE),
            self.fetch,
            conditions=(lambda: _with_files(selection(conditions, variables))) if conditions else None,
        )

    def fetch(self) -> Token:
        with (self.path / "calls").open("a") as calls:
            calls.write("x")
        time.sleep(self.seconds)
        self.during()
        if self.fault:
            raise CredentialsNotFound(self.fault, "ask the mint")
        now = time.time() - self.age
        return Token("toy", f"{self.user}-{self.calls}", now, now + 9000, LIFE)

    def password(self, host: str = "a.north.toy") -> str:
        return self.engine.get(self.request(host)).password


def _with_files(variables: str | None) -> tuple[str, dict[str, str]] | None:
    return None if variables is None else (variables, {"/toy.conf": files.facts("/toy.conf")})


@pytest.fixture
def mint(tmp_path: Path) -> Mint:
    return Mint(tmp_path)


def test_a_cold_get_asks_and_a_warm_one_not(mint: Mint) -> None:
    assert [mint.password() for _ in range(3)] == ["ada-1"] * 3
    assert mint.calls == 1


def test_a_token_lives_as_long_as_the_issuer_says(mint: Mint) -> None:
    token = mint.engine.get(mint.request())

    assert token.expires - token.issued == LIFE


def test_hosts_of_a_zone_share_a_token(mint: Mint) -> None:
    assert mint.password("a.north.toy") == mint.password("b.north.toy")
    assert mint.password("a.south.toy") == "ada-2"
    token = mint.engine.peek(mint.request()).token
    assert token is not None
    assert token.hosts == ("a.north.toy", "b.north.toy")


def test_another_identity_has_its_own_token(mint: Mint) -> None:
    mint.password()

    assert Mint(mint.path, "bob").password() == "bob-2"


def _password_and_renewal(path: Path) -> str:
    password = Mint(path).password()
    os.waitpid(-1, 0)  # the child that renews
    return password


def test_past_half_its_life_it_is_renewed_behind(mint: Mint) -> None:
    mint.age = LIFE * 0.6
    mint.password()

    with get_context("spawn").Pool(1) as pool:  # a process with one thread, as a helper is
        assert pool.apply(_password_and_renewal, [mint.path]) == "ada-1"

    assert (mint.password(), mint.calls) == ("ada-2", 2)


def test_near_its_end_the_caller_waits(mint: Mint) -> None:
    mint.age = LIFE - 400
    mint.password()

    assert mint.password() == "ada-2"


def test_near_its_end_the_old_one_bridges_a_fault(mint: Mint) -> None:
    mint.age = LIFE - 400
    mint.password()
    mint.fault = "the mint is shut"

    assert mint.password() == "ada-1"
    assert "the mint is shut" in (mint.path / "log" / "toy.log").read_text()


def test_a_failure_is_remembered(mint: Mint) -> None:
    mint.fault = "the mint is shut"
    for _ in range(3):
        with pytest.raises(CredentialsNotFound, match="the mint is shut") as raised:
            mint.password()
        assert raised.value.remedy == "ask the mint"
        assert not raised.value.anonymous
    assert mint.calls == 1
    failure = mint.engine.peek(mint.request()).failure
    assert failure is not None
    assert failure.cause == "the mint is shut"


def test_refresh_passes_over_a_failure(mint: Mint) -> None:
    mint.fault = "the mint is shut"
    with pytest.raises(CredentialsNotFound):
        mint.password()
    mint.fault = ""

    token = mint.engine.refresh(mint.request(), int(time.time()))

    assert token is not None
    assert token.password == "ada-2"


def test_refresh_asks_once_for_hosts_of_a_zone(mint: Mint) -> None:
    since = int(time.time())
    for host in ("a.north.toy", "b.north.toy"):
        token = mint.engine.refresh(mint.request(host), since)
        assert token is not None
        assert host in token.hosts
    assert mint.calls == 1


def _password_at_once(path: Path) -> str:
    mint = Mint(path)
    (path / f"ready-{os.getpid()}").touch()
    deadline = time.monotonic() + 20
    while len(list(path.glob("ready-*"))) < PROCESSES and time.monotonic() < deadline:
        time.sleep(0.01)
    mint.seconds = 0.2
    return mint.password()


def test_processes_that_start_at_once_ask_once(mint: Mint) -> None:
    with get_context("spawn").Pool(PROCESSES) as pool:
        passwords = pool.map(_password_at_once, [mint.path] * PROCESSES, chunksize=1)

    assert passwords == ["ada-1"] * PROCESSES
    assert mint.calls == 1


def test_who_cannot_lock_asks_alone(mint: Mint) -> None:
    (mint.path / "tokens").write_text("a file, not a directory")

    assert [mint.password(), mint.password()] == ["ada-1", "ada-2"]


def test_without_storage_every_get_asks(mint: Mint) -> None:
    mint.storage = Nothing()

    assert [mint.password(), mint.password()] == ["ada-1", "ada-2"]
    assert mint.engine.refresh(mint.request(), int(time.time())) is None
    mint.engine.forget(mint.request())
    assert list(mint.path.glob("tokens")) == []


def test_a_token_erased_while_fetched_is_not_kept(mint: Mint) -> None:
    mint.during = lambda: mint.engine.forget(mint.request())

    assert mint.password() == "ada-1"

    assert mint.engine.peek(mint.request()).token is None


def test_a_login_counts_before_the_issuer(mint: Mint) -> None:
    now = time.time()
    assert mint.engine.keep(mint.request(), Token("toy", "brought", now, now + 30, LIFE))

    assert mint.password() == "brought"
    assert mint.engine.peek(mint.request()).by_login
    assert (mint.calls, mint.password("b.north.toy")) == (0, "ada-1")


def test_the_fast_path_gets_its_conditions(mint: Mint) -> None:
    token = mint.engine.get(mint.request(TOY_USER="ada", TOY_FILE="/toy", OTHER="not compared"))

    tokens = mint.path / "tokens"
    lines = (tokens / "fast-a.north.toy").read_text().splitlines()
    assert lines[1] == " TOY_USER=ada TOY_FILE=/toy"
    assert lines[2] == f"{token.issued - 300} {token.renew_at}"
    assert lines[3].split()[2:] == [str(tokens / "stored-a.north.toy"), "/toy.conf"]
    answer = (tokens / "answer-a.north.toy").read_text()
    assert answer == '{"ServerURL":"a.north.toy","Username":"toy","Secret":"ada-1"}\n'


@pytest.mark.parametrize("value", ["relative", "/with space"])
def test_what_a_shell_cannot_compare_is_not_left(mint: Mint, value: str) -> None:
    mint.engine.get(mint.request(TOY_FILE=value))

    assert not list((mint.path / "tokens").glob("fast-*"))

"""The bytes of the protocol, and what becomes of everything that a store may do."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credhelpers import protocol, wire
from credhelpers.config import Settings
from credhelpers.credential import NOT_FOUND, BadRequest, Credential, CredentialError, CredentialsNotFound
from credhelpers.log import Log

if TYPE_CHECKING:
    from credhelpers.store import Store

SECRET = "canary7d1fe02a"
SERVER = "registry.example:5000"

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
_FIELDS = st.dictionaries(st.sampled_from(["ServerURL", "Username", "Secret", "x"]), _JSON | _NAMES)
_REQUESTS = (
    st.binary(max_size=300)
    | _JSON.map(lambda value: json.dumps(value).encode())
    | _FIELDS.map(lambda fields: json.dumps(fields).encode())
)


@contextmanager
def standard_input(content: bytes) -> Iterator[None]:
    """Let descriptor 0 be a file with this content."""
    saved = os.dup(0)
    try:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            os.dup2(file.fileno(), 0)
            yield
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0


@given(_NAMES.filter(lambda name: name == name.strip()), _NAMES, _TEXT, st.booleans())
def test_any_valid_credential_is_read(server: str, username: str, secret: str, ascii_only: bool) -> None:
    fields = {"ServerURL": server, "Username": username, "Secret": secret}
    with standard_input(json.dumps(fields, ensure_ascii=ascii_only).encode()):
        assert wire.read_credential() == (server, Credential(username, secret))


@settings(max_examples=500)
@given(_REQUESTS)
def test_an_invalid_credential_is_refused(request: bytes) -> None:
    with standard_input(request):
        try:
            server, credential = wire.read_credential()
        except BadRequest as error:
            assert error.cause.isprintable()
            return
    assert server
    assert credential.username
    assert not any(map(is_control, server + credential.username))
    (server + credential.username + credential.secret).encode()


@settings(max_examples=500)
@given(st.binary(max_size=100) | _TEXT.map(str.encode))
def test_a_server_is_trimmed_or_refused(request: bytes) -> None:
    with standard_input(request):
        try:
            server = wire.read_server()
        except BadRequest as error:
            assert error.cause.isprintable()
            return
    assert server == request.decode().strip() != ""
    assert not any(map(is_control, server))


@pytest.mark.parametrize("size", [wire.LONGEST_SERVER, wire.LONGEST_SERVER + 1])
def test_a_server_has_a_longest_length(size: int) -> None:
    with standard_input("é".encode() * size):
        if size == wire.LONGEST_SERVER:
            assert len(wire.read_server()) == size
        else:
            with pytest.raises(BadRequest, match="longer than"):
                wire.read_server()


@given(_TEXT, _TEXT, _TEXT)
def test_an_answer_is_one_line_of_json(server: str, username: str, secret: str) -> None:
    text = wire.credential_json(server, Credential(username, secret))
    assert json.loads(text) == {"ServerURL": server, "Username": username, "Secret": secret}
    assert "\n" not in text
    assert "\r" not in text


@given(st.dictionaries(_TEXT, _TEXT))
def test_a_list_is_one_line_of_json(usernames: dict[str, str]) -> None:
    text = wire.list_json(usernames)
    assert json.loads(text) == usernames
    assert "\n" not in text


class Broken:
    """A store of which every method does the one thing that it was made for."""

    def __init__(self, act: Callable[[], Credential]) -> None:
        self.act = act

    def get(self, server: str) -> Credential:
        return self.act()

    def store(self, server: str, credential: Credential) -> None:
        self.act()

    def erase(self, server: str) -> None:
        self.act()

    def list(self) -> dict[str, str]:
        self.act()
        return {}


class Served:
    """Runs one request in this process."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.home = home
        self.environ = {"HOME": str(home)}
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(
        self, verb: str, act: Callable[[], Credential], request: bytes | None = None
    ) -> tuple[int, str, str]:
        def open_store(environ: Mapping[str, str], settings: Settings, log: Log) -> "Store":
            assert environ is self.environ
            return Broken(act)

        if request is None:
            fields = {"ServerURL": SERVER, "Username": "alice", "Secret": SECRET}
            request = json.dumps(fields).encode() if verb == "store" else SERVER.encode()
        self._monkeypatch.setattr(sys, "argv", ["docker-credential-test", verb])
        with standard_input(request):
            status = protocol.serve("test", open_store, self.environ)
        return status, *self._capfd.readouterr()

    @property
    def log(self) -> str:
        """What was logged."""
        path = self.home / ".ecr/log/test.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Served:
    monkeypatch.setenv("HOME", "/nowhere")  # what is passed counts, and this is not
    return Served(tmp_path, monkeypatch, capfd)


def failing(error: BaseException) -> Callable[[], Credential]:
    def act() -> Credential:
        raise error

    return act


every_verb = pytest.mark.parametrize("verb", ["get", "store", "erase", "list"])


@every_verb
def test_stdout_has_the_cause_stderr_the_remedy(serve: Served, verb: str) -> None:
    answer = serve(verb, failing(CredentialError("the store is locked", "unlock it")))
    assert answer == (
        1,
        "the store is locked\n",
        "docker-credential-test: the store is locked\ndocker-credential-test: unlock it\n",
    )
    assert "level=error" in serve.log
    assert 'error="the store is locked"' in serve.log


@every_verb
@pytest.mark.parametrize(
    "fault", [ValueError, OSError, KeyError, RecursionError, MemoryError, AssertionError]
)
def test_an_internal_error_shows_no_secret(serve: Served, verb: str, fault: type[Exception]) -> None:
    status, out, err = serve(verb, failing(fault(f"cannot parse {SECRET}")))
    assert status == 1
    assert out.startswith(f"internal error: {fault.__name__} at test_protocol.py:")
    assert out.count("\n") == 1
    assert SECRET not in out + err + serve.log
    assert "Traceback" not in out + err + serve.log


def test_not_found_has_its_cause_on_stderr(serve: Served) -> None:
    status, out, err = serve("get", failing(CredentialsNotFound("AWS said no", "ask for the right")))
    assert (status, out) == (1, NOT_FOUND + "\n")
    assert err == "docker-credential-test: AWS said no\ndocker-credential-test: ask for the right\n"


def test_a_cause_is_one_line(serve: Served) -> None:
    status, out, err = serve("get", failing(CredentialError("first\nsecond\x1b[31m")))
    assert (status, out.count("\n"), err.count("\n")) == (1, 1, 1)
    assert "\x1b" not in out + err


def test_an_interrupt_ends_it_without_a_word(serve: Served) -> None:
    assert serve("get", failing(KeyboardInterrupt())) == (130, "", "")


@pytest.mark.parametrize(
    ("verb", "request_body"), [("get", b""), ("erase", b"a\nb"), ("store", b"[]"), ("what", b"")]
)
def test_no_store_is_opened_for_a_bad_request(serve: Served, verb: str, request_body: bytes) -> None:
    status, out, _ = serve(verb, failing(ValueError("the store was asked")), request_body)
    assert status == 1
    assert "internal error" not in out


@every_verb
def test_the_log_has_no_secret(serve: Served, verb: str) -> None:
    assert serve(verb, lambda: Credential("alice", SECRET))[0] == 0
    assert SECRET not in serve.log
    assert (SERVER in serve.log) == (verb in ("store", "erase"))

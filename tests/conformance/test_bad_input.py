"""What no client should send is refused in one line; nothing that is kept changes, and nothing is shown."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.conformance.canary import CANARY
from tests.conformance.corpus import SERVER, SERVERS, STORE, BadRequest
from tests.conformance.subjects import (
    deviates,
    every_keeper,
    every_password_store,
    every_strict_helper,
    every_subject,
    needs,
    reference_deviates,
)
from tests.conformance.test_verbs import ONE_LINE
from tests.support.client import NOT_FOUND, Answer, Helper

State = Callable[[], object]


def assert_refused(helper: Helper, answer: Answer, sentence: bytes = b"") -> None:
    """Assert exit 1, one line on stdout that is no answer, and only lines of the helper's on stderr."""
    assert answer.code == 1
    assert ONE_LINE.fullmatch(answer.out), answer.out
    assert answer.out.strip() != NOT_FOUND
    if sentence:
        assert answer.out == sentence + b"\n"
    assert b"Traceback" not in answer.out + answer.err
    for line in answer.err.splitlines(keepends=True):
        assert ONE_LINE.fullmatch(line)
        assert line.startswith(helper.executable.name.encode() + b": ")


pytestmark = pytest.mark.usefixtures("something_kept")


@every_subject
@needs("store")
@pytest.mark.parametrize("case", STORE, ids=str)
def test_bad_credential_changes_nothing(helper: Helper, state: State, case: BadRequest) -> None:
    before = state()
    answer = helper.run("store", stdin=case.stdin)
    assert_refused(helper, answer, case.sentence)
    assert state() == before


@every_subject
@pytest.mark.parametrize("case", SERVERS, ids=str)
@pytest.mark.parametrize("verb", ["get", "erase"])
def test_bad_server_changes_nothing(helper: Helper, state: State, verb: str, case: BadRequest) -> None:
    before = state()
    answer = helper.run(verb, stdin=case.stdin)
    assert_refused(helper, answer, case.sentence)
    assert state() == before


@every_subject
@needs("store")
@reference_deviates("says nothing on stderr")
def test_refusal_is_on_stderr_too(helper: Helper) -> None:
    answer = helper.run("store", stdin=b"[]")
    assert answer.err.startswith(helper.executable.name.encode() + b": " + answer.out)


@every_subject
@pytest.mark.parametrize("verb", ["get", "erase", "store"])
def test_closed_stdin_is_refused(helper: Helper, state: State, verb: str) -> None:
    before = state()
    assert_refused(helper, helper.run(verb, stdin=None))
    assert state() == before


@every_subject
@pytest.mark.parametrize("verb", ["get", "erase", "store"])
def test_endless_stdin_is_refused(helper: Helper, state: State, verb: str) -> None:
    before = state()
    with Path("/dev/zero").open("rb") as endless:
        assert_refused(helper, helper.run(verb, stdin=endless))
    assert state() == before


@every_strict_helper
@pytest.mark.parametrize("verb", ["get", "erase", "store"])
@pytest.mark.parametrize(
    "kind", ["write-only", "directory", "NUL without end", "reset socket", "endless socket"]
)
def test_other_kind_of_stdin_is_refused(helper: Helper, state: State, verb: str, kind: str) -> None:
    before = state()
    with stdin_of(kind) as descriptor:
        answer = helper.run(verb, stdin=descriptor)
    assert_refused(helper, answer)
    assert state() == before


@every_strict_helper
def test_stdin_may_be_a_socket(helper: Helper) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"nobody-knows.example")
        ours.shutdown(socket.SHUT_WR)
        assert helper.run("get", stdin=theirs.fileno()).out.strip() == NOT_FOUND


@contextmanager
def stdin_of(kind: str) -> Iterator[int]:
    """Yield a descriptor that no client would hand over."""
    if kind == "write-only":
        with Path("/dev/null").open("wb") as file:
            yield file.fileno()
    elif kind == "directory":
        descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        yield descriptor
        os.close(descriptor)
    elif kind == "NUL without end":
        with Path("/dev/full").open("rb") as file:
            yield file.fileno()
    else:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            if kind == "reset socket":
                theirs.sendall(b"never read, so that closing resets")
                ours.close()
                yield theirs.fileno()
            else:
                sender = threading.Thread(target=_send_without_end, args=(ours,))
                sender.start()
                try:
                    yield theirs.fileno()
                finally:
                    theirs.shutdown(socket.SHUT_RDWR)
                    sender.join()


def _send_without_end(sender: socket.socket) -> None:
    try:
        while True:
            sender.sendall(b"a" * (1 << 16))
    except OSError:
        return


_FAILING = {"get": b"nobody-knows.example", "store": b"[]", "erase": b"", "unknown": b"", "--": b""}


@every_strict_helper
@pytest.mark.parametrize("verb", _FAILING)
@pytest.mark.parametrize("kind", ["full", "closed", "without a reader"])
def test_failure_that_cannot_be_written(helper: Helper, state: State, verb: str, kind: str) -> None:
    before = state()
    with stdout_of(kind) as stdout:
        answer = helper.run(verb, stdin=_FAILING[verb], stdout=stdout)
    assert answer.code == 1
    assert all(ONE_LINE.fullmatch(line) for line in answer.err.splitlines(keepends=True))
    assert state() == before


@every_strict_helper
@pytest.mark.parametrize("verb", ["list", "version", "help"])
def test_answer_without_a_reader_fails(helper: Helper, verb: str) -> None:
    with stdout_of("without a reader") as stdout:
        answer = helper.run(verb, stdout=stdout)
    assert answer.code == 1
    assert ONE_LINE.fullmatch(answer.err)


@contextmanager
def stdout_of(kind: str) -> Iterator[IO[bytes] | None]:
    if kind == "closed":
        yield None
    elif kind == "full":
        with Path("/dev/full").open("wb") as full:
            yield full
    else:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            yield pipe


@every_subject
@pytest.mark.parametrize("verb", ["list", "version"])
@reference_deviates("does not notice")
def test_closed_stdout_is_a_failure(helper: Helper, state: State, verb: str) -> None:
    before = state()
    answer = helper.run(verb, stdout=None)
    assert answer.code == 1
    assert ONE_LINE.match(answer.err)
    assert b"Traceback" not in answer.err
    assert state() == before


@every_subject
@pytest.mark.parametrize("verb", ["get", "list", "version"])
@reference_deviates("does not notice")
def test_full_stdout_is_a_failure(helper: Helper, state: State, verb: str) -> None:
    before = state()
    with Path("/dev/full").open("wb") as full:
        answer = helper.run(verb, stdin=SERVER.encode(), stdout=full)
    assert answer.code == 1
    assert ONE_LINE.match(answer.err)
    assert b"Traceback" not in answer.err
    assert state() == before


@every_password_store
@pytest.mark.parametrize(
    "username", ["..", ".", "../../x", "a/../../x", "a/..", "/../x", "./x", "a//b", "/etc/x", "x/"]
)
@reference_deviates("takes it as a path")
def test_username_is_confined_to_the_store(helper: Helper, state: State, username: str) -> None:
    before = state()
    assert_refused(helper, helper.store(SERVER, username, CANARY))
    assert state() == before


@every_password_store
@pytest.mark.parametrize(
    "server", ["../../x", "/etc/x", "..", ".", "-", "--help", "a/../b", ".gpg-id", "https://"]
)
def test_server_is_never_a_path(helper: Helper, state: State, server: str) -> None:
    home = Path(helper.env["HOME"])
    assert helper.store(server, "alice", CANARY).code == 0
    written = {path.parent.parent for path in home.rglob("*.gpg")}
    assert written == {home / ".password-store" / "docker-credential-helpers"}
    assert helper.get(server).credentials().secret == CANARY


@every_keeper
@deviates("reference-pass", "repeats several lines of mkdir and gpg")
def test_long_server_is_kept_whole_or_refused(helper: Helper, state: State) -> None:
    before = state()
    server = "https://registry.example/" + "path/" * 800
    answer = helper.store(server, "alice", CANARY)
    if answer.code == 0:
        assert helper.get(server).credentials().secret == CANARY
    else:
        assert_refused(helper, answer)
        assert state() == before

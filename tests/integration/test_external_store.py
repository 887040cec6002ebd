"""Other people's helpers as stores: programs that do as they should, and all that they may do instead."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credhelpers.credential import Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.stores.auto.external import ExternalStore, find_helper
from tests.conformance.canary import CANARY, traces_of_canary
from tests.support.client import NOT_FOUND
from tests.support.tools import require

SERVER = "https://registry.example:5000/v1/"
SENTENCE = NOT_FOUND.decode()


class Stub:
    """A shell script in a helper's place."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "docker-credential-stub"
        self.messages = b""

    def does(self, script: str, *, seconds: float = 20) -> ExternalStore:
        """Return the store behind a helper that does this, whose messages are kept."""
        self.path.write_text(f"#!/bin/sh\n{script}\n")
        self.path.chmod(0o755)
        return ExternalStore(str(self.path), {"PATH": "/usr/bin:/bin"}, seconds, self._hear)

    def prints(self, answer: object) -> ExternalStore:
        """Return the store behind a helper that answers so."""
        return self.does(f"cat <<'END'\n{json.dumps(answer)}\nEND")

    def _hear(self, message: bytes) -> None:
        self.messages += message


@contextmanager
def held_open(path: Path) -> Iterator[int]:
    """Make a pipe at a path and yield its reading end, which hangs up when no process holds it any more."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield reader
    finally:
        os.close(reader)


def wait_for(event: int, reader: int) -> None:
    """Wait for something to read, or for the end of all processes that hold a pipe; fail without it."""
    poller = select.poll()
    poller.register(reader, event)
    ready = poller.poll(20_000)
    assert ready and ready[0][1] & event


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    return Stub(tmp_path)


@pytest.mark.parametrize("name", ["pass", "secretservice"])
def test_a_reference_helper_works(name: str, request: pytest.FixtureRequest) -> None:
    fixture = {"pass": "password_store_env", "secretservice": "secret_service_env"}[name]
    executable = require(f"docker-credential-{name}", "golang-docker-credential-helpers")
    store = ExternalStore(executable, request.getfixturevalue(fixture), 20)
    secret = f'{CANARY}"\\<&> ☃\u2028 2'

    with pytest.raises(CredentialsNotFound):
        store.get(SERVER)
    store.store(SERVER, Credential("<token>", secret))
    assert store.get(SERVER) == Credential("<token>", secret)
    if name == "pass":  # the other one names items by their labels
        assert store.list() == {SERVER: "<token>"}
    store.erase(SERVER)
    assert store.list() == {}


def test_requests_are_as_dockers(stub: Stub, tmp_path: Path) -> None:
    store = stub.does(f'echo "$#$1 $(cat)" >> {tmp_path}/told; [ $1 != get ] || echo \'{{"Secret":"s"}}\'')
    store.get(SERVER)
    store.store(SERVER, Credential("<alice>", 'é"'))
    store.erase(SERVER)
    store.list()
    assert (tmp_path / "told").read_text().splitlines() == [
        f"1get {SERVER}",
        f'1store {{"ServerURL":"{SERVER}","Username":"<alice>","Secret":"é\\""}}',
        f"1erase {SERVER}",
        "1list unused",
    ]


@pytest.mark.parametrize(
    "script",
    [
        f"echo '{SENTENCE}'; exit 1",
        f"printf '%s' '{SENTENCE}'; exit 7",
        f"echo 'stub: {SENTENCE}'; exit 1",
        'echo \'{"ServerURL":"a","Username":"","Secret":""}\'',
        "echo '{}'",
        "echo null",
        "exit 0",
    ],
)
def test_every_form_of_not_found(stub: Stub, script: str) -> None:
    with pytest.raises(CredentialsNotFound) as raised:
        stub.does(script).get(SERVER)
    assert raised.value.anonymous
    assert raised.value.cause == ""


def test_its_message_is_the_cause(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        stub.does("echo 'please  log in:'; echo 'gcloud auth login'; exit 3").get(SERVER)
    assert raised.value.cause == "docker-credential-stub: please log in: gcloud auth login"


def test_the_last_line_on_stderr_is_the_cause(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        stub.does("printf 'Traceback:\\nKeyError: x\\n\\n' >&2; exit 1").get(SERVER)
    assert raised.value.cause == "docker-credential-stub: KeyError: x"


def test_the_exit_status_is_the_cause(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable, match="docker-credential-stub failed with exit status 9") as raised:
        stub.does("exit 9").store(SERVER, Credential("alice", CANARY))
    assert "docker-credential-stub store" in raised.value.remedy


def test_a_signal_is_the_cause(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable, match="docker-credential-stub was killed by signal 11"):
        stub.does("kill -SEGV $$").get(SERVER)


@pytest.mark.parametrize(
    "output",
    [
        CANARY,
        f'{{"Username":"alice","Secret":"{CANARY}',
        f'["{CANARY}"]',
        f'"{CANARY}"',
        f'{{"Username":"alice","Secret":["{CANARY}"]}}',
        f'{{"Username":null,"Secret":"{CANARY}"}}',
        f"Warning: this is version 2\n{CANARY}",
        "\\377\\376",
        "[" * 9000,
    ],
    ids=range(9),
)
def test_an_invalid_answer_is_not_shown(stub: Stub, output: str) -> None:
    with pytest.raises(StoreUnavailable, match="get: the answer is not valid") as raised:
        stub.does(f"printf '%b\\n' '{output}'").get(SERVER)
    assert CANARY not in raised.value.cause + raised.value.remedy


@pytest.mark.parametrize("answer", [["a.example"], 3, "a.example"])
def test_a_list_has_to_be_an_object(stub: Stub, answer: object) -> None:
    with pytest.raises(StoreUnavailable, match="list: the answer is not valid"):
        stub.prints(answer).list()


def test_bad_entries_are_left_out_and_named(stub: Stub, capfd: pytest.CaptureFixture[str]) -> None:
    bad = {
        "number.example": 1,
        "object.example": {"Username": "b"},
        "lone\ud800.example": "a",
        "name.example": "\udfff",
        "line\nfeed.example": "a",
        "escape.example": "\x1b[2J",
        "": "a",
    }
    assert stub.prints({"first.example": "a", **bad, "last.example": "é"}).list() == {
        "first.example": "a",
        "last.example": "é",
    }
    messages = capfd.readouterr().err.splitlines()
    assert len(messages) == len(bad)
    assert messages[2] == (
        "docker-credential-stub: lone\\ud800.example is not listed: the server URL is not valid Unicode"
    )
    assert messages[5] == (
        "docker-credential-stub: escape.example is not listed: its username contains a control character"
    )


@pytest.mark.parametrize("fields", [{"Username": "\ud800"}, {"Secret": "\ud800"}, {"Username": "a\nb"}])
def test_an_impossible_credential_is_invalid(stub: Stub, fields: dict[str, str]) -> None:
    with pytest.raises(StoreUnavailable, match="get: the answer is not valid"):
        stub.prints({"Username": "a", "Secret": "b", **fields}).get(SERVER)


def messages_of(executable: Path) -> bytes:
    """Return what stands on our stderr when the helper's messages are passed on to it."""
    program = (
        "import sys; from credhelpers.stores.auto.external import ExternalStore; "
        "ExternalStore(sys.argv[1], {'PATH': '/usr/bin:/bin'}, 20).list()"
    )
    done = subprocess.run([sys.executable, "-c", program, executable], capture_output=True, check=True)
    return done.stderr


def test_its_messages_cannot_command_a_terminal(stub: Stub) -> None:
    stub.does("printf 'a\\033[2J\\033]0;x\\007b\\rc\\r\\n\\td\\302\\233é\\377\\n' >&2; echo '{}'")
    assert messages_of(stub.path).decode() == "a\\x1b[2J\\x1b]0;x\\x07b\\rc\n\td\\x9bé\\xff\n"


def test_a_split_character_stays_one(stub: Stub) -> None:
    stub.does("printf '\\303' >&2; sleep 0.3; printf '\\251\\n' >&2; echo '{}'")
    assert messages_of(stub.path).decode() == "é\n"


def test_its_messages_are_passed_on_up_to_a_bound(stub: Stub) -> None:
    stub.does("yes | head -c 1000000 >&2; echo '{}'")
    messages = messages_of(stub.path).decode()
    assert len(messages) < 70_000
    assert messages.endswith("docker-credential-stub: the rest of its messages is left out\n")


def test_control_characters_are_escaped(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        stub.does("printf 'no\\033[31m entry\\007'; exit 1").get(SERVER)
    assert raised.value.cause == "docker-credential-stub: no\\x1b[31m entry\\x07"


def test_a_repeated_long_secret_is_not_shown(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        stub.does(f"echo 'cannot keep {CANARY}{'x' * 600}'; exit 1").store(
            SERVER, Credential("alice", CANARY + "x" * 600)
        )
    assert raised.value.cause == "docker-credential-stub: cannot keep ..."


def test_a_repeated_secret_is_not_shown(stub: Stub) -> None:
    causes = []
    for script in (f"echo 'cannot keep {CANARY}'; exit 1", "cat; exit 1"):
        with pytest.raises(StoreUnavailable) as raised:
            stub.does(script).store(SERVER, Credential("alice", CANARY))
        causes.append(raised.value.cause)
    assert causes[0] == "docker-credential-stub: cannot keep ..."
    for trace in traces_of_canary():
        assert all(trace.decode() not in cause for cause in causes)


def test_an_answer_of_a_failure_is_not_shown(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable, match="failed with exit status 1") as raised:
        stub.does(f"""echo '{{"Username":"alice","Secret":"{CANARY}"}}'; exit 1""").get(SERVER)
    assert CANARY not in raised.value.cause


def test_a_helper_without_store_and_list(stub: Stub) -> None:
    store = stub.does("echo not implemented; exit 1")
    store.erase(SERVER)
    assert store.list() == {}
    with pytest.raises(StoreUnavailable, match="docker-credential-stub: not implemented"):
        store.store(SERVER, Credential("alice", CANARY))


def test_erasing_what_it_does_not_have_succeeds(stub: Stub) -> None:
    stub.does(f"echo '{SENTENCE}'; exit 1").erase(SERVER)
    with pytest.raises(StoreUnavailable, match="disk full"):
        stub.does("echo disk full; exit 1").erase(SERVER)


HANGING = "exec 9> {}; echo started >&9; sleep 300 & sleep 300"


def test_one_that_hangs_is_killed_with_children(stub: Stub, tmp_path: Path) -> None:
    with held_open(tmp_path / "held") as reader:
        store = stub.does(HANGING.format(tmp_path / "held"), seconds=1)
        with pytest.raises(StoreUnavailable, match="did not answer within 1 s and was stopped") as raised:
            store.get(SERVER)
        assert "auto.helper_seconds" in raised.value.remedy
        assert os.read(reader, 99) == b"started\n"
        wait_for(select.POLLHUP, reader)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_with_its_parent(
    stub: Stub, installed: Path, private_env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    stub.does(HANGING.format(tmp_path / "held"))
    config = tmp_path / "config.toml"
    config.write_text('[auto]\ndefault = "stub"\n')
    env = {**private_env, "PATH": f"{tmp_path}:/usr/bin:/bin", "CREDHELPERS_CONFIG": str(config)}
    # The tests may have been started with a signal ignored, as by nohup, and children inherit that.
    default = ["/usr/bin/env", f"--default-signal={number.name.removeprefix('SIG')}"]
    with (
        held_open(tmp_path / "held") as reader,
        subprocess.Popen([*default, installed / "docker-credential-auto", "list"], env=env) as auto,
    ):
        wait_for(select.POLLIN, reader)
        assert os.read(reader, 99) == b"started\n"
        auto.send_signal(number)
        wait_for(select.POLLHUP, reader)
        assert auto.wait(20) != 0


def test_one_that_answers_without_end_is_stopped(stub: Stub) -> None:
    with pytest.raises(StoreUnavailable, match="was stopped: it wrote more than 4194304 bytes"):
        stub.does("exec yes").get(SERVER)


def test_a_service_left_behind_is_not_awaited(stub: Stub) -> None:
    store = stub.does('sleep 60 & echo $! >&2; echo \'{"Username":"a","Secret":"b"}\'')
    assert store.get(SERVER) == Credential("a", "b")
    os.kill(int(stub.messages), 15)


def test_it_gets_the_signals_that_programs_expect(stub: Stub) -> None:
    stub.does("yes | head -n 1 >&2").list()
    assert stub.messages == b"y\n", "yes complains when it is not ended by SIGPIPE"


def test_it_has_its_own_session(stub: Stub) -> None:
    stub.does('read -r _ _ _ _ _ session _ < /proc/$$/stat; echo "$session $$" >&2').list()
    session, process = stub.messages.split()
    assert session == process


def test_one_that_cannot_be_started_is_named(stub: Stub, tmp_path: Path) -> None:
    store = ExternalStore(str(tmp_path / "docker-credential-gone"), {}, 5)
    with pytest.raises(StoreUnavailable, match=r"cannot start .*docker-credential-gone: No such file"):
        store.get(SERVER)
    store = stub.does("exit 0")
    stub.path.write_text("#!/nonexistent/interpreter\n")
    with pytest.raises(StoreUnavailable, match=r"cannot start .*docker-credential-stub: No such file"):
        store.list()


def test_its_messages_go_to_on_stderr(stub: Stub, capfd: pytest.CaptureFixture[str]) -> None:
    store = stub.does("echo 'open https://login.example' >&2; exit 1")
    with pytest.raises(StoreUnavailable):
        store.get(SERVER)
    assert stub.messages == b"open https://login.example\n"
    assert capfd.readouterr().err == ""

    with pytest.raises(StoreUnavailable):
        ExternalStore(str(stub.path), {"PATH": "/usr/bin:/bin"}, 20).get(SERVER)
    assert capfd.readouterr().err == "open https://login.example\n"


def test_it_has_a_home_where_services_have_none(stub: Stub) -> None:
    answer = '{\\"Username\\":\\"$HOME\\",\\"Secret\\":\\"s\\"}'
    assert os.path.isdir(stub.does(f'echo "{answer}"').get(SERVER).username)


def test_only_absolute_directories_are_searched(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.does("exit 0")
    monkeypatch.chdir(tmp_path)
    assert find_helper("stub", {"PATH": f".:{tmp_path}"}) == str(stub.path)
    assert find_helper("stub", {"PATH": ".::"}) is None
    (tmp_path / "docker-credential-x").mkdir()
    (tmp_path / "docker-credential-x" / "stub").symlink_to(stub.path)
    assert find_helper("x/stub", {"PATH": str(tmp_path)}) is None
    assert find_helper("", {"PATH": str(tmp_path)}) is None

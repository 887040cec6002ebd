"""docker-credential-keyring where the keyring is missing, locked, empty or stuck: a cause, in time."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from jeepney import DBusAddress, message_bus, new_method_call
from jeepney.io.blocking import open_dbus_connection, unwrap_msg

from tests.support.ahead import Ahead
from tests.support.client import Answer, Helper
from tests.support.keyring import SecretService, _wait_until_owned, private_bus, private_secret_service
from tests.support.tools import SYSTEM_PATH, require

SERVER = "registry.example"
IN_TIME = 5.0 + 1.0  # seconds: what is promised, and the start of a process on a busy machine
NO_DISPLAY = "the keyring is locked, and there is no display to ask for its password on"
DISMISSED = "the prompt to unlock the keyring was dismissed"


@pytest.fixture
def executable(installed: Path) -> Path:
    return installed / "docker-credential-keyring"


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory for sockets, whose paths may have 107 bytes."""
    with directory_for_sockets() as path:
        yield path


@contextmanager
def directory_for_sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ch-bus-", dir="/tmp") as path:
        yield Path(path)


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Path, dict[str, str], Path]]:
    """What the fixtures give."""
    with directory_for_sockets() as path:
        yield installed / "docker-credential-keyring", private_env, path


def answers(helper: Helper) -> dict[str, Answer]:
    """Ask for everything that needs the keyring; each answer has to come in time."""
    began = time.monotonic()
    given = {"get": helper.get(SERVER)}
    assert time.monotonic() - began < IN_TIME
    given["store"] = helper.store(SERVER, "alice", "s3cret")
    given["erase"] = helper.erase(SERVER)
    given["list"] = helper.list()
    assert time.monotonic() - began < len(given) * IN_TIME
    return given


def assert_all_fail(helper: Helper, cause: str) -> None:
    for verb, answer in answers(helper).items():
        assert answer.code == 1, verb
        assert answer.out.decode() == cause + "\n", verb
        told, remedy = answer.err.decode().splitlines()
        assert told == f"docker-credential-keyring: {cause}", verb
        assert remedy.startswith("docker-credential-keyring: "), verb


@pytest.mark.parametrize(
    "address", ["autolaunch:", "disabled:", "tcp:host=127.0.0.1,port=9", "nonsense", "unix:dir=/x"]
)
def test_a_bus_is_never_started(
    executable: Path, private_env: dict[str, str], address: str, short_path: Path
) -> None:
    launcher = short_path / "dbus-launch"
    launcher.write_text(f"#!/bin/sh\ntouch {short_path}/launched\n")
    launcher.chmod(0o755)
    path = f"{short_path}:{private_env['PATH']}"
    environment = {**private_env, "PATH": path, "DISPLAY": ":99", "DBUS_SESSION_BUS_ADDRESS": address}
    assert_all_fail(
        Helper(executable, environment), f"DBUS_SESSION_BUS_ADDRESS does not name a Unix socket: {address}"
    )
    assert not (short_path / "launched").exists()


def test_no_bus_at_all_is_named_as_the_cause(
    executable: Path, private_env: dict[str, str], short_path: Path
) -> None:
    environment = {**private_env, "XDG_RUNTIME_DIR": str(short_path)}
    cause = f"no D-Bus session bus at {short_path}/bus: No such file or directory"
    assert_all_fail(Helper(executable, environment), cause)


def test_a_bus_without_a_keyring_is_the_cause(
    executable: Path, private_env: dict[str, str], short_path: Path
) -> None:
    with private_bus(short_path) as address:
        helper = Helper(executable, {**private_env, "DBUS_SESSION_BUS_ADDRESS": address})
        assert_all_fail(helper, "no program on the D-Bus session bus provides org.freedesktop.secrets")


def test_the_runtime_directorys_bus_is_found(
    executable: Path, private_env: dict[str, str], secret_service: SecretService, short_path: Path
) -> None:
    bus = secret_service.bus.removeprefix("unix:path=").partition(",")[0]
    (short_path / "bus").symlink_to(bus)
    helper = Helper(executable, {**private_env, "XDG_RUNTIME_DIR": str(short_path)})
    assert helper.store(SERVER, "alice", "s3cret").code == 0
    assert [item.secret for item in secret_service.items()] == [b"s3cret"]


@pytest.mark.parametrize(("display", "cause"), [({}, NO_DISPLAY), ({"DISPLAY": ":99"}, DISMISSED)])
def test_a_locked_keyring_is_not_an_empty_one(
    executable: Path, private_env: dict[str, str], display: dict[str, str], cause: str
) -> None:
    with private_secret_service() as service:
        helper = Helper(executable, {**private_env, **service.env, **display})
        assert helper.store(SERVER, "alice", "s3cret").code == 0
        service.lock()
        # GNOME's prompter is not on this bus; the keyring takes that for a prompt that was dismissed.
        assert_all_fail(helper, cause)
        missing = helper.get("other.example")
        assert not missing.found
        assert b"nothing was found, but the keyring is locked" in missing.err
        assert helper.erase("other.example").code == 0


def test_without_a_default_collection(
    executable: Path, private_env: dict[str, str], short_path: Path
) -> None:
    with private_bus(short_path) as address, keyring_without_collection(short_path, address):
        helper = Helper(executable, {**private_env, "DBUS_SESSION_BUS_ADDRESS": address})
        assert not helper.get(SERVER).found
        assert helper.stored() == {}
        assert helper.erase(SERVER).code == 0
        assert (
            helper.store(SERVER, "alice", "s3cret").out
            == b"the keyring has no default collection to store in\n"
        )


def process_behind(service: SecretService) -> int:
    """Return the process id of the keyring's daemon, as the bus knows it."""
    bus = DBusAddress("/org/freedesktop/DBus", message_bus.bus_name, message_bus.interface)
    with closing(open_dbus_connection(bus=service.bus)) as connection:
        call = new_method_call(bus, "GetConnectionUnixProcessID", "s", ("org.freedesktop.secrets",))
        (process,) = unwrap_msg(connection.send_and_get_reply(call))
    assert isinstance(process, int)
    return process


@contextmanager
def keyring_without_collection(home: Path, address: str) -> Iterator[None]:
    """Run a keyring's daemon as it starts for a user who never had one."""
    command = [require("gnome-keyring-daemon", "gnome-keyring"), "--foreground", "--components=secrets"]
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": SYSTEM_PATH}
    with subprocess.Popen(
        command,
        env={**environment, "DBUS_SESSION_BUS_ADDRESS": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as daemon:
        try:
            with closing(open_dbus_connection(bus=address)) as connection:
                _wait_until_owned(connection, "org.freedesktop.secrets")
            yield
        finally:
            daemon.terminate()


@ahead
def test_a_bus_that_never_answers_is_given_up(
    executable: Path, private_env: dict[str, str], short_path: Path
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(short_path / "bus"))
        silent.listen()
        environment = {**private_env, "XDG_RUNTIME_DIR": str(short_path)}
        assert_all_fail(
            Helper(executable, environment), f"the D-Bus session bus at {short_path}/bus does not answer"
        )


@ahead
def test_a_keyring_that_hangs_is_given_up(
    executable: Path, private_env: dict[str, str], short_path: Path
) -> None:
    with private_secret_service() as service:
        helper = Helper(executable, {**private_env, **service.env})
        process = process_behind(service)
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            answer = helper.get(SERVER)
            assert time.monotonic() - began < IN_TIME
        finally:
            os.kill(process, signal.SIGCONT)
        assert (answer.code, answer.out) == (1, b"the keyring did not answer OpenSession within 3.5 s\n")

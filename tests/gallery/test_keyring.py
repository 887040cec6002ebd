"""The OS keyring: the bus, the service on it, its collection, and the keyring package's own configuration."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, docker_is_let_in, gets, keeps
from tests.integration.doctor import Patient
from tests.integration.test_keyring_faults import keyring_without_collection, process_behind
from tests.remedies.conftest import SERVER
from tests.support.keyring import SecretService, another_keyring, private_bus, private_secret_service

WORD = "a word of many"
KEEPS, GETS = keeps("keyring", SERVER), gets("keyring", SERVER)


@pytest.fixture
def desktop(user: Patient, secret_service: SecretService) -> Patient:
    """A user whose keyring is unlocked and has one credential."""
    user.configure(credsStore="keyring")
    user = user.but(**secret_service.env)
    assert KEEPS(user)
    return user


@pytest.fixture
def run() -> Iterator[Path]:
    """A directory for sockets, whose paths may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ch-run-", dir="/tmp") as name:
        yield Path(name)


def beside(user: Patient, run: Path, address: str) -> Patient:
    """Return the user in a session whose keyring's daemon has its files in a directory."""
    user.configure(credsStore="keyring")
    return user.but(XDG_RUNTIME_DIR=str(run), XDG_DATA_HOME=str(run), DBUS_SESSION_BUS_ADDRESS=address)


@pytest.mark.failure("session-bus.missing")
def test_outside_the_desktop_session(exhibit: Exhibit, desktop: Patient, run: Path) -> None:
    outside = desktop.but(DBUS_SESSION_BUS_ADDRESS="", XDG_RUNTIME_DIR=str(run))
    exhibit(outside, SERVER, works=GETS, by=("run this inside a desktop session", lambda: desktop))


@pytest.mark.failure("session-bus.missing")
def test_keyring_on_a_server(exhibit: Exhibit, keeper: Patient, registry: str, run: Path) -> None:
    keeper.configure(credsStore="keyring")
    assert keeper.helper("pass").store(registry, "ada", CANARY).code == 0
    headless = keeper.but(XDG_RUNTIME_DIR=str(run))
    exhibit(headless, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("session-bus.hangs")
def test_bus_that_never_answers(exhibit: Exhibit, desktop: Patient, run: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(run / "bus"))
        silent.listen()
        hung = desktop.but(DBUS_SESSION_BUS_ADDRESS=f"unix:path={run}/bus")
        exhibit(hung, SERVER, works=GETS, by=("run this inside a desktop session", lambda: desktop))


@pytest.mark.failure("session-bus.invalid-address")
def test_bus_that_would_have_to_be_started(exhibit: Exhibit, desktop: Patient, run: Path) -> None:
    own = desktop.env["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path=").partition(",")[0]
    (run / "bus").symlink_to(own)
    autolaunch = desktop.but(DBUS_SESSION_BUS_ADDRESS="autolaunch:", XDG_RUNTIME_DIR=str(run))
    exhibit(autolaunch, SERVER, works=GETS)


@pytest.mark.failure("keyring-service.missing")
def test_session_without_a_keyring(exhibit: Exhibit, user: Patient, run: Path) -> None:
    with private_bus(run) as address, another_keyring(address) as wait:
        exhibit(beside(user, run, address), works=KEEPS, types=f"{WORD}\n", until=wait)
        os.kill(process_behind(SecretService(address)), signal.SIGTERM)


@pytest.mark.failure("keyring-service.hangs")
def test_keyring_that_hangs(exhibit: Exhibit, user: Patient) -> None:
    with private_secret_service() as service:
        user.configure(credsStore="keyring")
        user = user.but(**service.env)
        assert KEEPS(user)
        process = process_behind(service)
        os.kill(process, signal.SIGSTOP)
        exhibit(user, works=GETS, by=("restart it", lambda: os.kill(process, signal.SIGCONT)))


@pytest.mark.failure("keyring-collection.none")
def test_keyring_that_is_new(exhibit: Exhibit, user: Patient, run: Path) -> None:
    with (
        private_bus(run) as address,
        keyring_without_collection(run, address),
        another_keyring(address) as wait,
    ):
        exhibit(beside(user, run, address), works=KEEPS, types=f"{WORD}\n", until=wait)
        os.kill(process_behind(SecretService(address)), signal.SIGTERM)


@pytest.mark.failure("keyring-collection.locked")
@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":99"}])
def test_keyring_that_is_locked(exhibit: Exhibit, user: Patient, display: dict[str, str]) -> None:
    with private_secret_service(WORD) as service, another_keyring(service.bus) as wait:
        directory = service.bus.removeprefix("unix:path=").partition(",")[0].removesuffix("/bus")
        user = beside(user, Path(directory), service.bus).but(**display)
        user = user.but(XDG_DATA_HOME=f"{directory}/.local/share")
        assert KEEPS(user)
        service.lock()
        exhibit(user, SERVER, works=GETS, types=f"{WORD}\n", until=wait)
        os.kill(process_behind(service), signal.SIGTERM)


def configuration(user: Patient) -> Path:
    path = user.home / ".config" / "python_keyring" / "keyringrc.cfg"
    path.parent.mkdir(parents=True)
    return path


def named(user: Patient, backend: str, *, by: str) -> Patient:
    """Return the user with another backend, named by a variable or in a file."""
    if by == "variable":
        return user.but(PYTHON_KEYRING_BACKEND=backend)
    configuration(user).write_text(f"[backend]\ndefault-keyring={backend}\n")
    return user


@pytest.mark.failure("keyring-backend.unusable")
def test_backend_that_is_missing_by_a_variable(exhibit: Exhibit, desktop: Patient) -> None:
    exhibit(named(desktop, "absent.Keyring", by="variable"), SERVER, works=GETS)


@pytest.mark.failure("keyring-backend.unusable")
def test_backend_that_is_missing_in_a_file(exhibit: Exhibit, desktop: Patient) -> None:
    exhibit(named(desktop, "absent.Keyring", by="file"), SERVER, works=GETS)


@pytest.mark.failure("keyring-backend.disabled")
def test_keyring_turned_off_by_a_variable(exhibit: Exhibit, desktop: Patient) -> None:
    exhibit(named(desktop, "keyring.backends.null.Keyring", by="variable"), SERVER, works=GETS)


@pytest.mark.failure("keyring-backend.disabled")
def test_keyring_turned_off_in_a_file(exhibit: Exhibit, desktop: Patient) -> None:
    exhibit(named(desktop, "keyring.backends.null.Keyring", by="file"), SERVER, works=GETS)


@pytest.mark.failure("keyring-backend.config-unreadable")
def test_configuration_is_a_directory(exhibit: Exhibit, desktop: Patient) -> None:
    configuration(desktop).mkdir()
    exhibit(desktop, SERVER, works=GETS)

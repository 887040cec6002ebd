"""`credhelpers doctor` on the password store and the OS keyring, each broken in its own way."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient
from tests.integration.test_keyring_faults import (
    directory_for_sockets,
    keyring_without_collection,
    process_behind,
)
from tests.integration.test_pass_failures import answers, set_pinentry
from tests.support.ahead import Ahead
from tests.support.gpg import GpgHome, end_agent, make_key, revoke
from tests.support.keyring import private_bus, private_secret_service

SERVER = "registry.example:5000"


@pytest.fixture
def keeper(installed: Path, private_env: dict[str, str], own_home: GpgHome) -> Iterator[Patient]:
    """A user of a password store."""
    path = {"PATH": f"{installed}:/usr/bin:/bin"}
    user = Patient(installed, {**private_env, **own_home.env, **path})
    (user.home / ".password-store").mkdir(mode=0o700)
    encrypt_for(user, own_home.fingerprint)
    assert user.helper("pass").store(SERVER, "ada", CANARY).code == 0
    user.configure(credsStore="pass")
    yield user
    user.assert_no_secret_was_shown()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory for sockets, whose paths may have 107 bytes."""
    with directory_for_sockets() as path:
        yield path


def encrypt_for(user: Patient, key: str) -> None:
    (user.home / ".password-store" / ".gpg-id").write_text(key + "\n")


def test_a_key_without_a_passphrase_is_ok(keeper: Patient) -> None:
    before = sorted((keeper.home / ".password-store").rglob("*"))
    report = keeper.doctor(SERVER)
    checks = ("gpg", "password store", "store mode", "encryption", "decryption", "answer")
    assert {report.state(check) for check in checks} == {"ok"}
    assert sorted((keeper.home / ".password-store").rglob("*")) == before


def test_a_machine_without_gpg_fails(keeper: Patient) -> None:
    report = keeper.but(PATH=str(keeper.bin)).doctor(SERVER)
    report.assert_broken("gpg", "GnuPG is not installed", "apt install gnupg")
    report.assert_broken("answer", "GnuPG is not installed")


def test_an_uninitialised_store_fails(keeper: Patient) -> None:
    (keeper.home / ".password-store" / ".gpg-id").unlink()
    keeper.doctor(SERVER).assert_broken("password store", "there is no password store in", "init")


def test_a_store_that_names_no_key_fails(keeper: Patient) -> None:
    encrypt_for(keeper, "# nobody")
    keeper.doctor(SERVER).assert_broken("password store", "does not name a key", "credhelpers init pass")


@pytest.mark.parametrize(("mode", "state"), [(0o755, "warn"), (0o777, "fail")])
def test_a_store_open_to_others(keeper: Patient, mode: int, state: str) -> None:
    (keeper.home / ".password-store").chmod(mode)
    keeper.doctor(SERVER).assert_broken("store mode", "other users may", "chmod 700", state=state)


def test_a_key_that_is_not_there_fails(keeper: Patient) -> None:
    encrypt_for(keeper, "absent@credhelpers.example")
    report = keeper.doctor(SERVER)
    report.assert_broken("encryption", "no public key for absent@credhelpers.example", "gpg --import")
    assert report.state("answer") == "ok", "what is stored can still be read"


def test_a_revoked_key_fails(keeper: Patient, own_home: GpgHome) -> None:
    revoke(own_home, own_home.fingerprint)
    keeper.doctor(SERVER).assert_broken("encryption", "has been revoked", "credhelpers init pass")


def test_an_expired_key_fails(keeper: Patient, own_home: GpgHome) -> None:
    encrypt_for(keeper, make_key(own_home, "old@credhelpers.example", expires="2020-02-01"))
    keeper.doctor(SERVER).assert_broken("encryption", "has expired", "--quick-set-expire")


def test_a_key_without_its_secret_part_fails(keeper: Patient, own_home: GpgHome) -> None:
    own_home.run("--yes", "--delete-secret-keys", own_home.fingerprint)
    report = keeper.doctor(SERVER)
    report.assert_broken("decryption", "there is no secret key to decrypt what was encrypted just now")
    assert report.state("answer") == "fail"


def test_a_locked_key_fails_without_a_prompt(keeper: Patient, own_home: GpgHome) -> None:
    (own_home.path / "gpg-agent.conf").write_text("s2k-count 65536\n")
    end_agent(own_home)
    encrypt_for(keeper, make_key(own_home, "locked@credhelpers.example", passphrase=CANARY))
    asked = own_home.path / "asked"
    set_pinentry(own_home, answers(f"touch {asked}; echo D {CANARY}; echo OK"))
    keeper.doctor().assert_broken("decryption", "the GPG key is locked", "export GPG_TTY=$(tty) && ")
    assert not asked.exists()


@pytest.fixture
def desktop(installed: Path, secret_service_env: dict[str, str]) -> Iterator[Patient]:
    """A user of an unlocked OS keyring."""
    with user_of_keyring(installed, secret_service_env) as user:
        yield user


@contextmanager
def user_of_keyring(installed: Path, env: dict[str, str]) -> Iterator[Patient]:
    user = Patient(installed, {**env, "PATH": f"{installed}:/usr/bin:/bin"})
    user.configure(credsStore="keyring")
    yield user
    user.assert_no_secret_was_shown()


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Patient, Path]]:
    """A user whose keyring the test brings along, and a directory for sockets."""
    with user_of_keyring(installed, private_env) as user, directory_for_sockets() as path:
        yield user, path


def test_an_unlocked_keyring_is_ok(desktop: Patient) -> None:
    assert desktop.helper("keyring").store(SERVER, "ada", CANARY).code == 0
    report = desktop.doctor(SERVER)
    assert report.code == 0
    checks = ("session bus", "keyring service", "keyring collection", "answer")
    assert {report.state(check) for check in checks} == {"ok"}


def test_the_keyring_of_the_reference_helper(desktop: Patient) -> None:
    desktop.configure(credsStore="secretservice")
    assert desktop.doctor(SERVER).state("keyring collection") == "ok"


def test_a_machine_without_a_bus_fails(desktop: Patient, short_path: Path) -> None:
    report = desktop.but(DBUS_SESSION_BUS_ADDRESS="", XDG_RUNTIME_DIR=str(short_path)).doctor(SERVER)
    report.assert_broken("session bus", f"no D-Bus session bus at {short_path}/bus", "dbus-run-session")


def test_a_bus_without_a_keyring_fails(desktop: Patient, short_path: Path) -> None:
    with private_bus(short_path) as address:
        report = desktop.but(DBUS_SESSION_BUS_ADDRESS=address).doctor(SERVER)
    assert report.state("session bus") == "ok"
    report.assert_broken("keyring service", "no program on the D-Bus session bus provides", "gnome-keyring")


def test_a_keyring_without_a_collection_fails(desktop: Patient, short_path: Path) -> None:
    with private_bus(short_path) as address, keyring_without_collection(short_path, address):
        report = desktop.but(DBUS_SESSION_BUS_ADDRESS=address).doctor(SERVER)
    report.assert_broken("keyring collection", "no default collection", "gnome-keyring-daemon")


@pytest.mark.parametrize(("display", "state"), [({}, "fail"), ({"DISPLAY": ":99"}, "warn")])
def test_a_locked_keyring_without_a_desktop_fails(
    desktop: Patient, display: dict[str, str], state: str
) -> None:
    with private_secret_service() as service:
        service.lock()
        report = desktop.but(**service.env, **display).doctor(SERVER)
    report.assert_broken("keyring collection", "is locked", "gnome-keyring-daemon", state=state)


def test_a_keyring_that_is_disabled_fails(desktop: Patient) -> None:
    report = desktop.but(PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring").doctor(SERVER)
    report.assert_broken("keyring backend", "the keyring is disabled", "PYTHON_KEYRING_BACKEND")


@ahead
def test_a_hanging_keyring_fails_in_time(desktop: Patient, short_path: Path) -> None:
    with private_secret_service() as service:
        process = process_behind(service)
        os.kill(process, signal.SIGSTOP)
        try:
            report = desktop.but(**service.env).doctor(SERVER)
        finally:
            os.kill(process, signal.SIGCONT)
    assert report.state("session bus") == "ok"
    report.assert_broken("keyring service", "did not answer", "restart it")


@ahead
def test_a_silent_bus_fails_in_time(desktop: Patient, short_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(short_path / "bus"))
        silent.listen()
        report = desktop.but(DBUS_SESSION_BUS_ADDRESS=f"unix:path={short_path}/bus").doctor(SERVER)
    report.assert_broken("session bus", "does not answer")

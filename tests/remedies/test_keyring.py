"""A keyring that is missing, locked or without a collection, and the command that the messages name."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient
from tests.integration.test_keyring_faults import keyring_without_collection, process_behind
from tests.remedies.mending import Mending
from tests.support.keyring import SecretService, another_keyring, private_bus

SERVER = "registry.example:5000"
WORD = "a word of many\n"  # as it is typed


@pytest.fixture
def service() -> Iterator[SecretService]:
    """A keyring's daemon that was started for a user who never had a keyring."""
    with tempfile.TemporaryDirectory(prefix="ch-run-", dir="/tmp") as name:
        directory = Path(name)
        with private_bus(directory) as address, keyring_without_collection(directory, address):
            yield SecretService(address)


@pytest.fixture
def desktop(user: Patient, service: SecretService) -> Patient:
    """A user in the same session as that daemon."""
    directory = service.bus.removeprefix("unix:path=").partition(",")[0].removesuffix("/bus")
    user.configure(credsStore="keyring")
    return user.but(XDG_RUNTIME_DIR=directory, XDG_DATA_HOME=directory, **service.env)


@pytest.fixture
def mended(desktop: Patient, service: SecretService, mend: Mending) -> Iterator[Patient]:
    """The same user with a collection, by what doctor says; the daemon that this starts is ended."""
    found = desktop.doctor().of("keyring collection")
    assert "no default collection" in found.text
    with another_keyring(service.bus) as wait:
        mend(found.remedy, desktop.env, types=WORD, until=wait)
    yield desktop
    os.kill(process_behind(service), signal.SIGTERM)


def test_a_keyring_without_a_collection_gets_one(mended: Patient) -> None:
    assert mended.doctor().state("keyring collection") == "ok"
    assert mended.helper("keyring").store(SERVER, "ada", CANARY).code == 0


@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":99"}])
def test_a_locked_keyring_is_unlocked(
    mended: Patient, service: SecretService, mend: Mending, display: dict[str, str]
) -> None:
    assert mended.helper("keyring").store(SERVER, "ada", CANARY).code == 0
    service.lock()
    found = mended.but(**display).doctor().of("keyring collection")
    assert "is locked" in found.text
    with another_keyring(service.bus) as wait:
        mend(found.remedy, mended.env, types=WORD, until=wait)
    assert mended.doctor().state("keyring collection") == "ok"
    assert mended.helper("keyring").get(SERVER).credentials().secret == CANARY


def test_a_broken_configuration_is_moved_away(user: Patient, mend: Mending) -> None:
    path = user.home / ".config" / "python_keyring" / "keyringrc.cfg"
    path.mkdir(parents=True)
    answer = user.helper("keyring").get(SERVER)
    assert "keyringrc.cfg" in answer.out.decode()
    mend(answer.err.decode().splitlines()[-1].partition(": ")[2], user.env)
    assert "keyringrc.cfg" not in user.helper("keyring").get(SERVER).out.decode()


def test_a_session_without_a_keyring_gets_one(user: Patient, mend: Mending) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ch-run-", dir="/tmp") as name,
        private_bus(Path(name)) as address,
        another_keyring(address) as wait,
    ):
        service = SecretService(address)
        session = user.but(XDG_RUNTIME_DIR=name, XDG_DATA_HOME=name, **service.env)
        answer = session.helper("keyring").store(SERVER, "ada", CANARY)
        assert answer.out.startswith(b"no program on the D-Bus session bus provides org.freedesktop.secrets")
        remedy = answer.err.decode().splitlines()[-1].partition(": ")[2]
        mend(remedy, session.env, types=WORD, until=wait)
        assert session.helper("keyring").store(SERVER, "ada", CANARY).code == 0
        os.kill(process_behind(service), signal.SIGTERM)

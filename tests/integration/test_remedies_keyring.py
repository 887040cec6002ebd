"""Each remedy for a keyring that cannot be used is run as it is printed, and then the keyring works."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import secretstorage
from jeepney import message_bus
from jeepney.io.blocking import open_dbus_connection, unwrap_msg

from tests.support.client import Helper
from tests.support.keyring import private_bus
from tests.support.tools import SYSTEM_PATH, require

SERVER = "https://registry.example/v1/"


@pytest.fixture
def helper(installed: Path) -> Iterator[Helper]:
    """The helper of a user with a session bus, and nothing on it but what a test starts."""
    home = Path(tempfile.mkdtemp(prefix="ch-bus-", dir="/tmp"))
    with private_bus(home) as address:
        env = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}
        env["DBUS_SESSION_BUS_ADDRESS"] = address
        try:
            yield Helper(installed / "docker-credential-keyring", env)
        finally:
            end_keyring(address)
    shutil.rmtree(home, ignore_errors=True)


def end_keyring(address: str) -> None:
    """End the keyring of this bus, which has gone into the background."""
    with closing(open_dbus_connection(bus=address)) as connection:
        reply = connection.send_and_get_reply(
            message_bus.GetConnectionUnixProcessID("org.freedesktop.secrets")
        )
        (pid,) = unwrap_msg(reply)
    os.kill(pid, signal.SIGTERM)


def run(helper: Helper, command: str, password: str) -> None:
    require("gnome-keyring-daemon", "gnome-keyring")
    subprocess.run(
        ["/bin/sh", "-c", command],
        env=dict(helper.env),
        input=password.encode(),
        capture_output=True,
        timeout=30,
        check=True,
    )


def refused(helper: Helper) -> tuple[str, str]:
    answer = helper.store(SERVER, "me", "canary-5ecret")
    assert answer.code == 1, answer
    cause, remedy = answer.err.decode().splitlines()
    return cause, remedy.removeprefix("docker-credential-keyring: ")


def command_in(remedy: str) -> str:
    return remedy.partition(": ")[2].partition(";")[0]


def works(helper: Helper) -> bool:
    answer = helper.store(SERVER, "me", "new")
    assert answer.code == 0, answer
    return helper.get(SERVER).credentials().secret == "new"


def test_remedy_where_there_is_no_keyring(helper: Helper) -> None:
    cause, remedy = refused(helper)
    assert cause.endswith("nobody on the D-Bus session bus offers org.freedesktop.secrets")
    run(helper, command_in(remedy), "password")
    assert works(helper)


def test_remedy_where_there_is_no_default_collection(helper: Helper) -> None:
    run(helper, "gnome-keyring-daemon --start --components=secrets", "")
    cause, remedy = refused(helper)
    assert cause.endswith("the keyring has no default collection to store in")
    run(helper, command_in(remedy), "password")
    assert works(helper)


def test_remedy_for_a_locked_keyring(helper: Helper) -> None:
    run(helper, "gnome-keyring-daemon --replace --unlock", "password")
    assert works(helper)
    with closing(open_dbus_connection(bus=helper.env["DBUS_SESSION_BUS_ADDRESS"])) as connection:
        secretstorage.get_default_collection(connection).lock()
    cause, remedy = refused(helper)
    assert "the keyring is locked" in cause
    run(helper, command_in(remedy), "password")
    assert works(helper)

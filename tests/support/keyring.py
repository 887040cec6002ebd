"""A private D-Bus session bus with an unlocked gnome-keyring-daemon on it."""

import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import secretstorage
from jeepney import DBusAddress, Message, message_bus, new_method_call
from jeepney.bus_messages import MatchRule
from jeepney.io.blocking import DBusConnection, open_dbus_connection, unwrap_msg
from secretstorage.dhcrypto import Session

from tests.support.tools import SYSTEM_PATH, require

# No service directories: nothing of the machine is ever started on this bus, no prompter either.
_BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
_SECRETS = "org.freedesktop.secrets"
_STARTUP_SECONDS = 20


@dataclass(frozen=True)
class Item:
    """One item of the keyring, as any program on the bus sees it."""

    label: str
    attributes: Mapping[str, str]
    secret: bytes


@dataclass(frozen=True)
class SecretService:
    """A running Secret Service and the address of the bus on which it is found."""

    bus: str

    @property
    def env(self) -> dict[str, str]:
        """What a process needs in its environment to reach this keyring."""
        return {"DBUS_SESSION_BUS_ADDRESS": self.bus}

    def items(self) -> list[Item]:
        """Return all items of the default collection."""
        with closing(open_dbus_connection(bus=self.bus)) as connection:
            collection = _default_collection(connection)
            return [
                Item(item.get_label(), item.get_attributes(), item.get_secret())
                for item in collection.get_all_items()
            ]

    def add(self, label: str, attributes: Mapping[str, str], secret: bytes) -> None:
        """Put an item into the default collection, as some other program would."""
        with closing(open_dbus_connection(bus=self.bus)) as connection:
            collection = _default_collection(connection)
            collection.create_item(label, dict(attributes), secret)

    def clear(self) -> None:
        """Delete all items of the default collection."""
        with closing(open_dbus_connection(bus=self.bus)) as connection:
            for item in secretstorage.get_default_collection(connection).get_all_items():
                item.delete()

    def lock(self) -> None:
        """Lock the default collection."""
        with closing(open_dbus_connection(bus=self.bus)) as connection:
            secretstorage.get_default_collection(connection).lock()


class _PlainSession(Session):
    """A session that sends secrets as they are: to agree on a key takes both sides most of their time."""

    def __init__(self, object_path: str) -> None:
        # The parent's constructor makes the key.
        self.object_path = object_path
        self.aes_key = None
        self.encrypted = False


def _default_collection(connection: DBusConnection) -> secretstorage.Collection:
    """Return the default collection, with a session in which secrets are sent as they are."""
    service = DBusAddress("/org/freedesktop/secrets", _SECRETS, "org.freedesktop.Secret.Service")
    message = new_method_call(service, "OpenSession", "sv", ("plain", ("s", "")))
    _, path = unwrap_msg(connection.send_and_get_reply(message))
    collection = secretstorage.get_default_collection(connection)
    collection.session = _PlainSession(path)
    return collection


@contextmanager
def private_secret_service(password: str = "\n") -> Iterator[SecretService]:
    """Start a bus and a keyring that hold nothing of the user; end both by their process ids."""
    home = Path(tempfile.mkdtemp(prefix="ch-bus-", dir="/tmp"))
    try:
        with private_bus(home) as address, _unlocked_keyring(home, address, password):
            yield SecretService(address)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def private_bus(directory: Path) -> Iterator[str]:
    """Start a D-Bus session bus with nothing on it and yield its address."""
    configuration = directory / "bus.conf"
    configuration.write_text(_BUS_CONFIGURATION.format(socket=directory / "bus"))
    command = [
        require("dbus-daemon", "dbus"),
        f"--config-file={configuration}",
        "--nofork",
        "--print-address=1",
    ]
    with subprocess.Popen(
        command, env=_environment(directory), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as daemon:
        try:
            assert daemon.stdout is not None
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@contextmanager
def _unlocked_keyring(home: Path, address: str, password: str) -> Iterator[None]:
    command = [
        require("gnome-keyring-daemon", "gnome-keyring"),
        "--foreground",
        "--unlock",
        "--components=secrets",
    ]
    with subprocess.Popen(
        command,
        env={**_environment(home), "DBUS_SESSION_BUS_ADDRESS": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as daemon:
        try:
            assert daemon.stdin is not None
            daemon.stdin.write(password.encode())
            daemon.stdin.close()
            with closing(open_dbus_connection(bus=address)) as connection:
                _wait_until_owned(connection, _SECRETS)
                assert not secretstorage.get_default_collection(connection).is_locked()
            yield
        finally:
            daemon.terminate()


@contextmanager
def another_keyring(address: str) -> Iterator[Callable[[], None]]:
    """Yield what waits for a keyring that comes onto a bus within the block, in another's place too."""
    with closing(open_dbus_connection(bus=address)) as connection, _arrivals(connection, _SECRETS) as queue:

        def wait() -> None:
            owner = ""
            while not owner:  # the other one may go first
                _, _, owner = connection.recv_until_filtered(queue, timeout=_STARTUP_SECONDS).body

        yield wait


def _wait_until_owned(connection: DBusConnection, name: str) -> None:
    """Wait for the signal that `name` has come onto the bus."""
    bus = DBusAddress("/org/freedesktop/DBus", message_bus.bus_name, message_bus.interface)
    with _arrivals(connection, name) as queue:
        reply = connection.send_and_get_reply(new_method_call(bus, "NameHasOwner", "s", (name,)))
        (owned,) = unwrap_msg(reply)
        if not owned:
            connection.recv_until_filtered(queue, timeout=_STARTUP_SECONDS)


@contextmanager
def _arrivals(connection: DBusConnection, name: str) -> Iterator["deque[Message]"]:
    """Yield the queue of the signals that `name` has come onto the bus, or has left it."""
    arrivals = MatchRule(
        type="signal", sender=message_bus.bus_name, interface=message_bus.interface, member="NameOwnerChanged"
    )
    arrivals.add_arg_condition(0, name)
    with connection.filter(arrivals) as queue:
        unwrap_msg(connection.send_and_get_reply(message_bus.AddMatch(arrivals)))
        yield queue


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}

"""A connection to the running D-Bus session bus. A bus is never started; every wait has an end."""

import os
import time
from collections import deque
from contextlib import contextmanager
from typing import NamedTuple

import jeepney
from jeepney import DBusAddress, HeaderFields, MessageType
from jeepney import message_bus as bus_daemon
from jeepney.bus import get_connectable_addresses
from jeepney.io.blocking import DBusConnection, prep_socket

from credhelpers.credential import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Reply = tuple[Any, ...]

_CONNECT_SECONDS = 1.0
_REPLY_SECONDS = 3.5  # with the above, a bus or a service that hangs costs at most five seconds
_BATCH = 64  # unanswered calls; dbus-daemon allows 128 where its configuration does not say more
_QUEUED = 2  # RequestName's reply IN_QUEUE, D-Bus specification, "org.freedesktop.DBus.RequestName"

_NO_BUS_REMEDY = (
    "run this inside a desktop session or dbus-run-session; "
    "or use docker-credential-pass, which needs neither: "
    "credhelpers init pass && credhelpers configure --store pass"
)
# The daemon takes all of stdin as the password, a line end too, and does not report a wrong one.
_TYPED = "(stty -echo && head -n 1 | tr -d '\\n' && stty echo)"
START_GNOME = f"{_TYPED} | gnome-keyring-daemon --replace --unlock --components=secrets"
"""The command that starts GNOME's keyring, makes its default collection and unlocks it; type the password."""
_NO_SERVICE_REMEDY = f"start KWallet or KeePassXC, or GNOME's keyring, and type a password: {START_GNOME}"
_NO_OWNER = (
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",  # it left the bus before it answered
    "org.freedesktop.DBus.Error.Spawn",  # and names that begin with it: the bus could not start the service
)
_GONE = (
    "org.freedesktop.Secret.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownMethod",  # how GNOME's keyring reports an object that does not exist
)


class NoService(StoreUnavailable):
    """There is no session bus, or the service is not on it."""


class Gone(StoreUnavailable):
    """The object that was called does not exist any more."""


class Call(NamedTuple):
    """One method call: object path, interface, method, and arguments with their D-Bus signature."""

    path: str
    interface: str
    member: str
    signature: str = ""
    arguments: "Reply" = ()


class SessionBus:
    """Calls one service on the session bus.

    Args:
        environ: ``DBUS_SESSION_BUS_ADDRESS`` or ``XDG_RUNTIME_DIR`` name the bus.
        service: The bus name of the service, such as ``org.freedesktop.secrets``.

    Raises:
        NoService: There is no bus; later, on a call: the service is not on it.
    """

    def __init__(self, environ: "Mapping[str, str]", service: str) -> None:
        self._service = service
        self._signals: deque[Any] = deque()
        self._replies: dict[int, Any] = {}
        self._connection = _connect(environ)

    def close(self) -> None:
        """Leave the bus; it releases the locks of this connection."""
        self._connection.close()

    def call(self, call: Call) -> "Reply":
        """Make one call and return what it returns.

        Raises:
            Gone: The object does not exist.
            NoService: The service is not on the bus.
            StoreUnavailable: The service refused, or did not answer in time.
        """
        (reply,) = self.call_all([call])
        if reply is None:
            raise Gone(f"{call.member}: the object is gone from the keyring", "try again")
        return reply

    def call_all(self, calls: list[Call]) -> "list[Reply | None]":
        """Make calls without waiting for one before the next; None stands for an object that is gone.

        Raises:
            NoService: As for `call`.
            StoreUnavailable: As for `call`.
        """
        replies: list[Reply | None] = []
        for start in range(0, len(calls), _BATCH):
            batch = calls[start : start + _BATCH]
            serials = [self._send(self._message(call)) for call in batch]
            replies += map(self._receive, batch, serials)
        return replies

    def subscribe(self, path: str, interface: str, member: str) -> None:
        """Receive a signal of the service on this connection, for `wait_for`."""
        rule = jeepney.MatchRule(type="signal", path=path, interface=interface, member=member)
        self._ask_daemon(bus_daemon.AddMatch(rule))

    def wait_for(self, path: str, member: str, seconds: float) -> "Reply":
        """Return the arguments of the next such signal; other signals that came before it are dropped.

        Raises:
            TimeoutError: It does not come in this time.
        """
        deadline = time.monotonic() + seconds
        while True:
            message = (
                self._signals.popleft() if self._signals else self._receive_next(deadline - time.monotonic())
            )
            fields = message.header.fields
            if fields.get(HeaderFields.member) == member and fields.get(HeaderFields.path) == path:
                body: Reply = message.body
                return body

    @contextmanager
    def lock(self, name: str, seconds: float) -> "Iterator[None]":
        """Hold a bus name, which one connection at a time can own; the bus drops it with its holder.

        Raises:
            TimeoutError: Others have held it for that long.
        """
        (answer,) = self._ask_daemon(bus_daemon.RequestName(name, 0))
        if answer == _QUEUED:
            while self.wait_for("/org/freedesktop/DBus", "NameAcquired", seconds) != (name,):
                pass
        try:
            yield
        finally:
            self._ask_daemon(bus_daemon.ReleaseName(name))

    def _message(self, call: Call) -> "Any":
        address = DBusAddress(call.path, self._service, call.interface)
        return jeepney.new_method_call(address, call.member, call.signature or None, call.arguments)

    def _ask_daemon(self, message: "Any") -> "Reply":
        call = Call(
            "/org/freedesktop/DBus", "org.freedesktop.DBus", message.header.fields[HeaderFields.member]
        )
        return self._receive(call, self._send(message)) or ()

    def _send(self, message: "Any") -> int:
        serial: int = next(self._connection.outgoing_serial)
        try:
            self._connection.send(message, serial=serial)
        except OSError as error:
            raise _lost(error) from None
        return serial

    def _receive(self, call: Call, serial: int) -> "Reply | None":
        """Return the reply with this serial; replies that come before it are kept."""
        while serial not in self._replies:
            try:
                message = self._receive_next(_REPLY_SECONDS)
            except TimeoutError:
                raise StoreUnavailable(
                    f"the keyring did not answer {call.member} within {_REPLY_SECONDS:g} s",
                    "check whether the keyring's daemon hangs, and restart it",
                    fault="hangs",
                ) from None
            if message.header.message_type is MessageType.signal:
                self._signals.append(message)
            else:
                self._replies[message.header.fields.get(HeaderFields.reply_serial)] = message
        return self._read(call, self._replies.pop(serial))

    def _receive_next(self, seconds: float) -> "Any":
        try:
            return self._connection.receive(timeout=max(0.0, seconds))
        except TimeoutError:
            raise
        except OSError as error:
            raise _lost(error) from None

    def _read(self, call: Call, message: "Any") -> "Reply | None":
        body: Reply = message.body
        if message.header.message_type is not MessageType.error:
            return body
        name: str = message.header.fields[HeaderFields.error_name]
        if name in _GONE:
            return None
        if name.startswith(_NO_OWNER):
            raise NoService(
                f"no program on the D-Bus session bus provides {self._service}",
                _NO_SERVICE_REMEDY,
                fault="missing",
            )
        reason = body[0] if body and isinstance(body[0], str) else ""
        raise StoreUnavailable(f"the keyring refused {call.member}: {reason or name}")


class _PatientConnection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A connection whose every wait ends: jeepney would wait forever for the bus's answer to its greeting."""

    def receive(self, *, timeout: float | None = None) -> "Any":
        return super().receive(timeout=_REPLY_SECONDS if timeout is None else timeout)


def _connect(environ: "Mapping[str, str]") -> "Any":
    failure: StoreUnavailable | None = None
    for address in _addresses(environ):
        shown = address.replace("\0", "@")
        try:
            socket = prep_socket(address, timeout=_CONNECT_SECONDS)
            socket.settimeout(_REPLY_SECONDS)  # for sending; receiving waits on a selector
            return _PatientConnection(socket)
        except jeepney.DBusErrorResponse as refusal:
            failure = StoreUnavailable(
                f"the D-Bus session bus at {shown} refused this process: {refusal.name}",
                _NO_BUS_REMEDY,
                fault="refused",
            )
        except jeepney.AuthenticationError:
            failure = NoService(
                f"the D-Bus session bus at {shown} belongs to another user", _NO_BUS_REMEDY, fault="foreign"
            )
        except TimeoutError:
            failure = StoreUnavailable(
                f"the D-Bus session bus at {shown} does not answer", _NO_BUS_REMEDY, fault="hangs"
            )
        except OSError as error:
            reason = error.strerror or str(error)
            failure = NoService(f"no D-Bus session bus at {shown}: {reason}", _NO_BUS_REMEDY, fault="missing")
    raise failure or NoService("there is no D-Bus session bus", _NO_BUS_REMEDY, fault="missing")


def _addresses(environ: "Mapping[str, str]") -> list[str]:
    """Return the sockets to try: those the environment names, else the one where systemd puts the bus."""
    named = environ.get("DBUS_SESSION_BUS_ADDRESS")
    if not named:
        runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        return [os.path.join(runtime, "bus")]
    try:
        return list(get_connectable_addresses(named))
    except (ValueError, RuntimeError):  # among them autolaunch:, which must not start a bus, and disabled:
        raise NoService(
            f"DBUS_SESSION_BUS_ADDRESS does not name a Unix socket: {named}",
            "use the bus of your login session: unset DBUS_SESSION_BUS_ADDRESS",
            fault="invalid-address",
        ) from None


def _lost(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"the connection to the D-Bus session bus broke: {error.strerror or error}", "try again"
    )

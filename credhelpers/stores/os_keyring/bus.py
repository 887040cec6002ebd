"""A connection to the D-Bus session bus that is there already. None is ever started; no wait is endless."""

import os
import time
from collections import deque
from contextlib import contextmanager

from jeepney import (
    AuthenticationError,
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MatchRule,
    MessageType,
    new_method_call,
)
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
_REPLY_SECONDS = 3.5  # with the above, a bus or a service that hangs is given up within five seconds
_BATCH = 64  # unanswered calls; dbus-daemon allows 128 where its configuration does not say more
_QUEUED = 2  # RequestName's reply IN_QUEUE, D-Bus specification, "org.freedesktop.DBus.RequestName"

_NO_BUS_REMEDY = (
    "run this inside a desktop session or dbus-run-session; "
    "docker-credential-pass works without a bus or a desktop"
)
UNLOCK = (
    "gnome-keyring-daemon --replace --unlock --components=secrets; "
    "it reads the password from stdin, which Ctrl-D twice ends, as Enter would be a part of it"
)
"""The command that starts GNOME's keyring, makes its default collection and unlocks it."""
_NO_SERVICE_REMEDY = f"start one, KWallet or KeePassXC, or GNOME's: {UNLOCK}"
_NOBODY = (
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",  # it left the bus before it answered
    "org.freedesktop.DBus.Error.Spawn",  # and all that begins with it: the bus could not start the service
)
_GONE = (
    "org.freedesktop.Secret.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownMethod",  # GNOME's way to say that there is no such object
)


class NoService(StoreUnavailable):
    """There is no session bus, or nobody on it answers to the name that was called."""


class Gone(StoreUnavailable):
    """The object that was called does not exist any more."""


class Call:
    """One method call: object path, interface, method, and arguments with their D-Bus signature."""

    __slots__ = ("arguments", "interface", "member", "path", "signature")

    def __init__(
        self, path: str, interface: str, member: str, signature: str = "", arguments: "Reply" = ()
    ) -> None:
        self.path = path
        self.interface = interface
        self.member = member
        self.signature = signature
        self.arguments = arguments


class SessionBus:
    """Calls one service on the session bus.

    Args:
        environ: Where ``DBUS_SESSION_BUS_ADDRESS`` or ``XDG_RUNTIME_DIR`` tell of the bus.
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
        """Leave the bus; it drops the locks of this connection."""
        self._connection.close()

    def call(self, call: Call) -> "Reply":
        """Make one call and return what it returns.

        Raises:
            Gone: The object does not exist.
            NoService: Nobody answers to the service's name.
            StoreUnavailable: The service refused, or did not answer in time.
        """
        (reply,) = self.call_all([call])
        if reply is None:
            raise Gone(f"{call.member}: the object has gone from the keyring", "try again")
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
            replies += [
                self._receive(call, serial)
                for call, serial in [(call, self._send(self._message(call))) for call in batch]
            ]
        return replies

    def subscribe(self, path: str, interface: str, member: str) -> None:
        """Have a signal of the service's sent to this connection, for `wait_for`."""
        rule = MatchRule(type="signal", path=path, interface=interface, member=member)
        self._ask_daemon(bus_daemon.AddMatch(rule))

    def wait_for(self, path: str, member: str, seconds: float) -> "Reply":
        """Return what comes with the next such signal; what else has come meanwhile is dropped.

        Raises:
            TimeoutError: It does not come in that time.
        """
        deadline = time.monotonic() + seconds
        while True:
            message = self._signals.popleft() if self._signals else self._receive_until(deadline)
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
        return new_method_call(address, call.member, call.signature or None, call.arguments)

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
        """Return the reply with this serial; others, which may come before it, are kept for their callers."""
        while serial not in self._replies:
            try:
                message = self._connection.receive(timeout=_REPLY_SECONDS)
            except TimeoutError:
                raise StoreUnavailable(
                    f"the keyring did not answer {call.member} within {_REPLY_SECONDS:g} s",
                    "see whether the keyring's daemon hangs, and restart it",
                ) from None
            except OSError as error:
                raise _lost(error) from None
            if message.header.message_type is MessageType.signal:
                self._signals.append(message)
            else:
                self._replies[message.header.fields.get(HeaderFields.reply_serial)] = message
        return self._read(call, self._replies.pop(serial))

    def _receive_until(self, deadline: float) -> "Any":
        try:
            return self._connection.receive(timeout=max(0.0, deadline - time.monotonic()))
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
        if name.startswith(_NOBODY):
            raise NoService(f"nobody on the D-Bus session bus offers {self._service}", _NO_SERVICE_REMEDY)
        reason = body[0] if body and isinstance(body[0], str) else ""
        raise StoreUnavailable(f"the keyring refused {call.member}: {reason or name}")


class _PatientConnection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A connection whose every wait ends: jeepney's own greeting of the bus would wait for ever."""

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
        except DBusErrorResponse as refusal:
            failure = StoreUnavailable(
                f"the D-Bus session bus at {shown} refused this process: {refusal.name}"
            )
        except AuthenticationError:
            failure = NoService(f"the D-Bus session bus at {shown} belongs to another user", _NO_BUS_REMEDY)
        except TimeoutError:
            failure = StoreUnavailable(f"the D-Bus session bus at {shown} does not answer", _NO_BUS_REMEDY)
        except OSError as error:
            reason = error.strerror or str(error)
            failure = NoService(f"no D-Bus session bus at {shown}: {reason}", _NO_BUS_REMEDY)
    raise failure or NoService("there is no D-Bus session bus", _NO_BUS_REMEDY)


def _addresses(environ: "Mapping[str, str]") -> list[str]:
    """Return the sockets to try: what the environment names, else where systemd puts the user's bus."""
    named = environ.get("DBUS_SESSION_BUS_ADDRESS")
    if not named:
        runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        return [os.path.join(runtime, "bus")]
    try:
        return list(get_connectable_addresses(named))
    except (ValueError, RuntimeError):  # autolaunch: and disabled: among them, which must not start anything
        raise NoService(f"DBUS_SESSION_BUS_ADDRESS names no Unix socket: {named}", _NO_BUS_REMEDY) from None


def _lost(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"the D-Bus session bus broke off: {error.strerror or error}", "try again")

"""AWS on loopback for tests: an emulator that can be told to fail, servers that misbehave, and moto."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from credhelpers.emulator import ACCOUNT, Emulator, Request, Response
from tests.conformance.canary import CANARY

TOKEN_CALL = "GetAuthorizationToken"
HOST = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com"
PASSWORD = f"password-{CANARY}"
CONTAINER_PATH = "/container/credentials"
"""Where `Aws` gives out the credentials of an ECS task."""

_WAIT_SECONDS = 30.0

Fault = Callable[[Request], Response | None]
"""What answers in AWS's place; None lets AWS answer."""


class Aws(Emulator):
    """The emulator with web identities, SSO and container credentials, and with faults on demand.

    Attributes:
        fault: Answers requests to the APIs (not to the metadata service) while it is set.
    """

    def __init__(self, *, lifetime: float = 12 * 3600.0) -> None:
        super().__init__(password=PASSWORD, lifetime=lifetime)
        self.fault: Fault | None = None
        self._changed = threading.Condition()

    @property
    def total(self) -> int:
        """How many requests of any kind there were."""
        return sum(self.calls.values())

    def wait_for(self, operation: str, count: int) -> None:
        """Wait until an operation has been asked for so many times; fail when it is not."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.calls[operation] >= count, _WAIT_SECONDS), self.calls

    def answer(self, request: Request) -> Response:
        """Answer in the manner of the fault, of the services added here, or of the emulator."""
        with self._changed:
            self._changed.notify_all()
        if request.operation != "imds" and self.fault and (response := self.fault(request)):
            return response
        if request.operation == "AssumeRoleWithWebIdentity":
            return self._web_identity()
        if request.path == CONTAINER_PATH:
            given = self.give_credentials()
            return Response.of_json({**given, "Token": given["SessionToken"]})
        if request.path.startswith("/federation/credentials"):
            return self._sso()
        return super().answer(request)

    def give_credentials(self) -> dict[str, Any]:
        """Make temporary credentials whose secret parts are known to the watch for secrets."""
        given = super().give_credentials()
        for part in ("SecretAccessKey", "SessionToken"):
            given[part] = f"{CANARY}{given[part]}"
        return given

    def _web_identity(self) -> Response:
        given = "".join(f"<{key}>{value}</{key}>" for key, value in self.give_credentials().items())
        name = "AssumeRoleWithWebIdentity"
        return Response(
            200,
            f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
            f"<Credentials>{given}</Credentials></{name}Result></{name}Response>".encode(),
            {"Content-Type": "text/xml"},
        )

    def _sso(self) -> Response:
        given = self.give_credentials()
        names = {
            "AccessKeyId": "accessKeyId",
            "SecretAccessKey": "secretAccessKey",
            "SessionToken": "sessionToken",
        }
        fields = {names[key]: given[key] for key in names}
        return Response.of_json(
            {"roleCredentials": {**fields, "expiration": int(self.clock() + 3600) * 1000}}
        )


class Gate:
    """A fault that lets requests wait until it is opened."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def __call__(self, request: Request) -> Response | None:
        """Wait; then let AWS answer."""
        self._opened.wait(_WAIT_SECONDS)
        return None

    def open(self) -> None:
        """Let everything pass from now on."""
        self._opened.set()


def failing(status: int, code: str, message: str = "no") -> Fault:
    """Return a fault that refuses everything with one of AWS's errors."""
    return lambda request: Response.error(status, code, message)


class Misbehaving:
    """A server that reads a request and then treats the connection as it is told, while its block lasts."""

    def __init__(self, behaviour: Callable[[socket.socket], None]) -> None:
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the block has ended
            with self._lock:
                self.connections += 1
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            stream = connection.makefile("rb")
            length = 0
            while (line := stream.readline()).strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            stream.read(length)
            stream.close()
            self._behaviour(connection)
        except OSError:
            pass  # the client has left, which is what a client does with such a server


def silence(connection: socket.socket) -> None:
    """Never answer."""


def reset(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(connection: socket.socket) -> None:
    """Send an answer one byte at a time, each just before a client loses patience."""
    connection.sendall(_head(1 << 20))
    pause = threading.Event()
    while not pause.wait(0.5):
        connection.sendall(b" ")


def half_an_answer(connection: socket.socket) -> None:
    """Send less than was announced and close."""
    connection.sendall(_head(1000) + b'{"authorizationData": [{"authorizationToken": "QVdTOng')
    connection.close()


def flood(connection: socket.socket) -> None:
    """Send 100 MB that begin like an answer."""
    connection.sendall(_head(100 << 20) + b'{"authorizationData": [{"authorizationToken": "')
    block = b"QVdT" * (1 << 14)
    for _ in range((100 << 20) // len(block)):
        connection.sendall(block)


def saying(body: bytes) -> Callable[[socket.socket], None]:
    """Return a behaviour that sends this body as a success and closes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(_head(len(body)) + body)
        connection.close()

    return behave


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server on a free port of loopback and yield its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _head(length: int) -> bytes:
    return (
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()

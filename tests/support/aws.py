"""AWS on loopback for tests: an emulator that can be told to fail, servers that misbehave, and moto."""

import gzip
import json
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from credhelpers.emulator import ACCOUNT, Emulator, Request, Response, container, faults
from tests.conformance.canary import CANARY

TOKEN_CALL = faults.TOKEN_CALL
HOST = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com"
PASSWORD = f"password-{CANARY}"
CONTAINER_PATH = container.PATH
"""Where `Aws` gives out the credentials of an ECS task."""

_WAIT_SECONDS = 30.0

Fault = Callable[[Request], Response | None]
"""What answers in AWS's place; None lets AWS answer."""


class Aws(Emulator):
    """The emulator with faults of a test's own.

    Attributes:
        fault: Answers requests to the APIs (not to the metadata service) while it is set.
        metadata_fault: Answers requests to the metadata service while it is set.
        container: What the container's agent gives out, instead of good credentials.
    """

    def __init__(self, *, lifetime: float = 12 * 3600.0) -> None:
        super().__init__(password=PASSWORD, lifetime=lifetime)
        self.fault: Fault | None = None
        self.metadata_fault: Fault | None = None
        self.container: Response | None = None
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
        fault = self.metadata_fault if request.operation == "imds" else self.fault
        if fault and (response := fault(request)):
            return response
        if request.path == CONTAINER_PATH and self.container:
            return self.container
        return super().answer(request)

    def give_credentials(self) -> dict[str, Any]:
        """Make temporary credentials whose secret parts are known to the watch for secrets."""
        given = super().give_credentials()
        for part in ("SecretAccessKey", "SessionToken"):
            given[part] = f"{CANARY}{given[part]}"
        return given


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


def forwarding(url: str) -> Fault:
    """Return a fault by which another stand-in for AWS answers, with tokens that are good for an hour.

    Args:
        url: Where it listens; moto's tokens ended in 2015.
    """

    def forward(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "Accept-Encoding"}
        asked = urllib.request.Request(url, request.body, headers, method="POST")
        with urllib.request.urlopen(asked) as answer:
            body = answer.read()
        if request.operation == TOKEN_CALL:
            data = json.loads(body)
            for authorization in data["authorizationData"]:
                authorization["expiresAt"] = time.time() + 3600
            body = json.dumps(data).encode()
        return Response(answer.status, body, {"Content-Type": answer.headers["Content-Type"]})

    return forward


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


def endless_body(connection: socket.socket) -> None:
    """Send an answer of unknown length that never ends."""
    _flood(connection, b"", b"QVdT" * (1 << 14))


def endless_chunks(connection: socket.socket) -> None:
    """Send chunks without end."""
    _flood(connection, b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"A" * (1 << 16) + b"\r\n")


def endless_chunk_extension(connection: socket.socket) -> None:
    """Send a chunk whose first line never ends."""
    _flood(connection, b"Transfer-Encoding: chunked\r\n", b"1;" + b"A" * (1 << 16))


def endless_interim_answers(connection: socket.socket) -> None:
    """Send "100 Continue" without end."""
    block = b"HTTP/1.1 100 Continue\r\nX: " + b"A" * (1 << 15) + b"\r\n\r\n"
    while True:
        connection.sendall(block)


def gzip_bomb(connection: socket.socket) -> None:
    """Send half a gigabyte of spaces in half a megabyte."""
    bomb = gzip.compress(b" " * (1 << 20)) * 512  # a gzip file may have several members (RFC 1952)
    head = _head(len(bomb)).replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    connection.sendall(head + bomb)
    connection.close()


def _flood(connection: socket.socket, headers: bytes, block: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n" + headers + b"\r\n")
    while True:
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

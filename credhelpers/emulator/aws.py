"""AWS as a whole: the services behind one address, and the faults that are staged."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from credhelpers.emulator import container, control, ecr, imds, registry, sso, sts
from credhelpers.emulator.account import LIFETIME, Account
from credhelpers.emulator.faults import FAULTS
from credhelpers.emulator.messages import Request, Response
from credhelpers.emulator.server import Server

_UNSIGNED = (imds.answer, container.answer, sso.answer, registry.answer)
SERVICES = (sts.answer, ecr.answer, control.answer)
"""Those whose requests are signed; each returns None for what is another's."""

_NOT_SIGNED = ("AssumeRoleWithWebIdentity",)


class Emulator(Account):
    """A server while its ``with`` block lasts.

    Args:
        password: The password inside every authorization token.
        clock: Tells the time, in seconds since the epoch.
        lifetime: Seconds that a token is valid.
        port: Where it listens; 0 for any free port.

    Attributes:
        calls: How often each operation was asked for; the metadata service counts as ``imds``.
        requests: Every request so far.
        on_answer: Is told of each request and its answer.

    Raises:
        OSError: The port is in use.
    """

    def __init__(
        self,
        *,
        password: str,
        clock: Callable[[], float] = time.time,
        lifetime: float = LIFETIME,
        port: int = 0,
    ) -> None:
        super().__init__(password=password, clock=clock, lifetime=lifetime)
        self.calls: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.on_answer: Callable[[Request, Response], None] | None = None
        self._lock = threading.Lock()
        self._server = Server(self.receive, self.now, port)
        self._closed = socket.socket()  # bound and not listening, so that a connection is refused
        self._closed.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._closed.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def closed_url(self) -> str:
        """An address at which nothing listens."""
        return f"http://127.0.0.1:{self._closed.getsockname()[1]}"

    def environment(self) -> dict[str, str]:
        """Return what makes an AWS client take this for AWS and for its instance's metadata service."""
        found = {"AWS_ENDPOINT_URL": self.url, **imds.environment(self.url)}
        for fault in self.staged.values():
            found.update(fault.environment(self.closed_url))
        return found

    def stage(self, name: str) -> None:
        """Stage a fault: the name of one of `FAULTS`, with ``=`` and a number where it takes one.

        Raises:
            ValueError: There is no such fault, or the number is missing, is not one, or has no meaning.
        """
        name, _, value = name.partition("=")
        fault = FAULTS.get(name)
        if fault is None:
            raise ValueError(f"there is no fault {name}")
        if bool(value) != fault.takes_seconds:
            raise ValueError(f"{name} takes {'a number of seconds' if fault.takes_seconds else 'no value'}")
        if fault.takes_seconds:
            self.offset = float(value)
        self.staged[name] = fault

    def receive(self, request: Request) -> Response:
        """Count a request and answer it."""
        with self._lock:
            self.calls[request.operation] += 1
            self.requests.append(request)
        response = self.answer(request)
        if self.on_answer:
            self.on_answer(request, response)
        return response

    def answer(self, request: Request) -> Response:
        """Answer a request; a subclass may answer some of them its own way."""
        for fault in list(self.staged.values()):
            if response := fault.answer(self, request):
                return response
        for service in _UNSIGNED:
            if response := service(self, request):
                return response
        if request.operation not in _NOT_SIGNED and request.scope[0] not in self.access_key_ids:
            return request.refuse(
                400, "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        for service in SERVICES:
            if response := service(self, request):
                return response
        return request.refuse(400, "UnknownOperationException", "")

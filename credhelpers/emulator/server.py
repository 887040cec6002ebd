"""The HTTP server on a loopback port that receives what AWS's clients send."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from credhelpers.emulator.messages import Request, Response


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1.

    Args:
        receive: Answers each request; is called in a thread of its own.
        clock: Tells the time of the Date header, in seconds since the epoch.
        port: Where it listens; 0 for any free port.

    Raises:
        OSError: The port is in use.
    """

    daemon_threads = True
    request_queue_size = 256  # a thousand helpers may start at once

    def __init__(
        self, receive: Callable[[Request], Response], clock: Callable[[], float], port: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.receive = receive
        self.clock = clock


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each further answer on a connection waits 40 ms for the client
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command, self.path, dict(_titled(self.headers.items())), self.rfile.read(length)
        )
        response = self.server.receive(request)
        try:
            self.send_response(response.status)
            for key, value in response.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
        except ConnectionError:
            self.close_connection = True  # the client was killed; that is its affair

    do_HEAD = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what the Date header says, which is the time of AWS's clock."""
        return super().date_time_string(timestamp or self.server.clock())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet: the terminal is for the user's own lines."""


def _titled(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key.title(), value) for key, value in headers]

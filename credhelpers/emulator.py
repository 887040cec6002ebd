"""A stand-in for AWS on a loopback port, for demo and tests: an instance role (IMDSv2), ECR, AssumeRole.

It is not part of any helper. The requests and answers are those of the EC2 user guide ("Use IMDSv2") and of
the ECR, ECR Public and STS API references, as far as a client needs them to get a token.
"""

import base64
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

ROLE = "worker"
"""The name of the instance's role."""

ACCOUNT = "123456789012"
"""The account that the instance is in."""

_CREDENTIALS_PATH = "/latest/meta-data/iam/security-credentials/"
_PRIVATE = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
_PUBLIC = "SpencerFrontendService.GetAuthorizationToken"
_LIFETIME = 12 * 3600.0


@dataclass(frozen=True)
class Request:
    """One HTTP request to the emulator."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """``imds``, or the name of the API operation."""
        if self.path.startswith("/latest/"):
            return "imds"
        if target := self.headers.get("X-Amz-Target"):
            return target.rpartition(".")[2]
        return self.form.get("Action", "unknown")

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a query-protocol request."""
        return {key: values[0] for key, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    @property
    def scope(self) -> list[str]:
        """Who signed, for where: access key id, date, region, service (Signature Version 4)."""
        _, _, rest = self.headers.get("Authorization", "").partition("Credential=")
        return rest.partition(",")[0].split("/")[:4]


@dataclass(frozen=True)
class Response:
    """What the emulator answers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: object, status: int = 200) -> Self:
        """Return an answer in the manner of the JSON 1.1 protocol."""
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/x-amz-json-1.1"})

    @classmethod
    def error(cls, status: int, code: str, message: str) -> Self:
        """Return an error in the manner of the JSON 1.1 protocol."""
        return cls.of_json({"__type": code, "message": message}, status)


class Emulator:
    """A server while its ``with`` block lasts.

    Args:
        password: The password inside every authorization token.
        clock: Tells the time, in seconds since the epoch.
        lifetime: Seconds that a token is valid.

    Attributes:
        calls: How often each operation was asked for; the metadata service counts as ``imds``.
        requests: Every request so far.
        access_key_ids: The keys that may sign; those of the role are added as it hands them out.
    """

    def __init__(
        self, *, password: str, clock: Callable[[], float] = time.time, lifetime: float = _LIFETIME
    ) -> None:
        self.password = password
        self.clock = clock
        self.lifetime = lifetime
        self.calls: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.access_key_ids: set[str] = set()
        self._session = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._server = _Server(self)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Return what makes an AWS client take this for AWS and for its instance's metadata service."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def receive(self, request: Request) -> Response:
        """Count a request and answer it."""
        with self._lock:
            self.calls[request.operation] += 1
            self.requests.append(request)
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        """Answer a request; a subclass may answer some of them its own way."""
        if request.operation == "imds":
            return self._metadata(request)
        if request.scope[0] not in self.access_key_ids:
            return Response.error(
                400, "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        target = request.headers.get("X-Amz-Target", "")
        if target == _PRIVATE:
            return Response.of_json(
                {
                    "authorizationData": [
                        self._authorization(f"https://{ACCOUNT}.dkr.ecr.{request.scope[2]}.amazonaws.com")
                    ]
                }
            )
        if target == _PUBLIC:
            return Response.of_json({"authorizationData": self._authorization("https://public.ecr.aws")})
        if request.operation == "AssumeRole":
            return self._assumed_role(request.form)
        return Response.error(400, "UnknownOperationException", "")

    def give_credentials(self) -> dict[str, Any]:
        """Make temporary credentials that this AWS accepts."""
        key = "ASIA" + secrets.token_hex(8).upper()
        self.access_key_ids.add(key)
        return {
            "AccessKeyId": key,
            "SecretAccessKey": secrets.token_urlsafe(30),
            "SessionToken": secrets.token_urlsafe(60),
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock() + 6 * 3600)),
        }

    def _metadata(self, request: Request) -> Response:
        if request.method == "PUT" and request.path == "/latest/api/token":
            return Response(200, self._session.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21600"})
        if request.headers.get("X-Aws-Ec2-Metadata-Token") != self._session:
            return Response(401)
        if request.path == _CREDENTIALS_PATH:
            return Response(200, ROLE.encode())
        if request.path == _CREDENTIALS_PATH + ROLE:
            fields = self.give_credentials()
            fields["Token"] = fields.pop("SessionToken")
            return Response.of_json({"Code": "Success", "Type": "AWS-HMAC", **fields})
        return Response(404)

    def _authorization(self, proxy: str) -> dict[str, Any]:
        token = base64.b64encode(f"AWS:{self.password}".encode()).decode()
        expires = self.clock() + self.lifetime
        return {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": proxy}

    def _assumed_role(self, form: Mapping[str, str]) -> Response:
        fields = "".join(f"<{key}>{value}</{key}>" for key, value in self.give_credentials().items())
        arn = f"{form['RoleArn']}/{form['RoleSessionName']}"
        return Response(
            200,
            f'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
            f"<Credentials>{fields}</Credentials><AssumedRoleUser><Arn>{arn}</Arn>"
            f"<AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>"
            f"</AssumeRoleResult></AssumeRoleResponse>".encode(),
            {"Content-Type": "text/xml"},
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a thousand helpers may start at once

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulator = emulator


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each further answer on a connection waits 40 ms for the client
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command, self.path, dict(_titled(self.headers.items())), self.rfile.read(length)
        )
        response = self.server.emulator.receive(request)
        try:
            self.send_response(response.status)
            for key, value in response.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
        except ConnectionError:
            self.close_connection = True  # the client was killed; that is its affair

    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what the Date header says, which is the time of AWS's clock."""
        return super().date_time_string(timestamp or self.server.emulator.clock())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet: the demo's terminal is for its own lines."""


def _titled(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key.title(), value) for key, value in headers]

"""One request to the emulator and its response, in the protocols of AWS's APIs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Self
from urllib.parse import parse_qs


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

    @classmethod
    def of_xml(cls, text: str, status: int = 200) -> Self:
        """Return an answer in the manner of the query protocol."""
        return cls(status, text.encode(), {"Content-Type": "text/xml"})

    @classmethod
    def of_query(cls, action: str, result: str) -> Self:
        """Return the result of an action of the query protocol."""
        return cls.of_xml(
            f"<{action}Response><{action}Result>{result}</{action}Result>"
            f"<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></{action}Response>"
        )


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
    def target(self) -> str:
        """The service and operation of a request in the JSON 1.1 protocol."""
        return self.headers.get("X-Amz-Target", "")

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a query-protocol request."""
        return {key: values[0] for key, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    @property
    def scope(self) -> list[str]:
        """Who signed, for where: access key id, date, region, service (Signature Version 4)."""
        _, _, rest = self.headers.get("Authorization", "").partition("Credential=")
        return rest.partition(",")[0].split("/")[:4]

    def refuse(self, status: int, code: str, message: str) -> Response:
        """Return an error in the protocol of the request."""
        if self.target:
            return Response.error(status, code, message)
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        if self.scope[-1:] == ["ec2"]:
            return Response.of_xml(f"<Response><Errors>{error}</Errors></Response>", status)
        return Response.of_xml(f"<ErrorResponse>{error}<RequestId>x</RequestId></ErrorResponse>", status)

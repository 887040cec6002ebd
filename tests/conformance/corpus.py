"""Requests that no client should send, as rows of data; each is refused and changes nothing."""

import json
from dataclasses import dataclass

from tests.conformance.canary import CANARY

SERVER = "https://registry.example:5000/v1/"
REFERENCE = "reference-pass reference-secretservice"
_KEYRING = "reference-secretservice"
NO_SERVER = b"no credentials server URL"
NO_USERNAME = b"no credentials username"
LONGEST_SECRET = 1 << 20  # bytes


@dataclass(frozen=True)
class BadRequest:
    """A request that is refused.

    Args:
        name: What is wrong with it.
        stdin: The request.
        sentence: The contract's sentence for it; empty where any one line will do.
        deviations: Which helpers of others (``name`` or ``name/verb``) do not refuse it so, and what they do.
    """

    name: str
    stdin: bytes
    sentence: bytes = b""
    deviations: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.name


def _credential(**changes: object) -> bytes:
    fields = {"ServerURL": SERVER, "Username": "mallory", "Secret": CANARY, **changes}
    return json.dumps({key: value for key, value in fields.items() if value is not ...}).encode()


def _but(does: str, who: str = REFERENCE) -> tuple[tuple[str, str], ...]:
    return ((who, does),)


_STORES_IT = _but("stores it")
_FOLDS = _but("joins the lines and stores the credential")
_NESTED = b"[" * 200_000
_FIRST_ONLY = _but("reads the first JSON value only, and stores it")

STORE = (
    BadRequest("nothing", b""),
    BadRequest("a newline", b"\n"),
    BadRequest("white space", b" \t\r\n " * 100),
    BadRequest("NUL", b"\0"),
    BadRequest("a word", CANARY.encode()),
    BadRequest("a server as for get", SERVER.encode()),
    BadRequest("HTTP", b"POST / HTTP/1.1\r\nHost: " + CANARY.encode() + b"\r\n\r\n"),
    BadRequest("binary", bytes(range(256)) * 16),
    BadRequest("cut off", _credential()[:-1]),
    BadRequest("cut off in a string", _credential()[:-4]),
    BadRequest("cut off in an escape", b'{"ServerURL":"a","Username":"b","Secret":"\\u00'),
    BadRequest("single quotes", _credential().replace(b'"', b"'")),
    BadRequest("a comma too many", _credential()[:-1] + b",}"),
    BadRequest("a byte order mark", b"\xef\xbb\xbf" + _credential()),
    BadRequest("UTF-16", _credential().decode().encode("utf-16")),
    BadRequest("something behind it", _credential() + b"x", deviations=_FIRST_ONLY),
    BadRequest("two objects", _credential() + b"\n" + _credential(Username="eve"), deviations=_FIRST_ONLY),
    BadRequest("NUL behind it", _credential() + b"\0", deviations=_FIRST_ONLY),
    BadRequest("null", b"null"),
    BadRequest("true", b"true"),
    BadRequest("a number", b"42"),
    BadRequest("a huge number", b"9" * 5000),
    BadRequest("NaN", b"NaN"),
    BadRequest("a string", json.dumps(CANARY).encode()),
    BadRequest("an array", b"[" + _credential() + b"]"),
    BadRequest("an array of strings", json.dumps([SERVER, "mallory", CANARY]).encode()),
    BadRequest("an empty array", b"[]"),
    BadRequest("an empty object", b"{}", NO_SERVER),
    BadRequest("arrays without end", _NESTED),
    BadRequest(
        "deep arrays as the secret", _credential(Secret="@").replace(b'"@"', _NESTED + b"]" * 200_000)
    ),
    BadRequest("no server", _credential(ServerURL=...), NO_SERVER),
    BadRequest("an empty server", _credential(ServerURL=""), NO_SERVER),
    BadRequest("a null server", _credential(ServerURL=None)),
    BadRequest("a number as server", _credential(ServerURL=5000)),
    BadRequest("an array as server", _credential(ServerURL=[SERVER])),
    BadRequest("an object as server", _credential(ServerURL={"ServerURL": SERVER})),
    BadRequest("no username", _credential(Username=...), NO_USERNAME),
    BadRequest("an empty username", _credential(Username=""), NO_USERNAME),
    BadRequest("a null username", _credential(Username=None)),
    BadRequest("a number as username", _credential(Username=1.5)),
    BadRequest("an array as username", _credential(Username=["mallory"])),
    BadRequest("no secret", _credential(Secret=...), deviations=_but("stores an empty one")),
    BadRequest("a null secret", _credential(Secret=None), deviations=_but("stores an empty one")),
    BadRequest("a number as secret", _credential(Secret=7)),
    BadRequest("a boolean as secret", _credential(Secret=True)),
    BadRequest("an array as secret", _credential(Secret=[CANARY])),
    BadRequest("an object as secret", _credential(Secret={"canary": CANARY})),
    BadRequest(
        "two servers", _credential()[:-1] + b',"ServerURL":"evil.example"}', deviations=_but("takes the last")
    ),
    BadRequest(
        "two usernames", _credential()[:-1] + b',"Username":"eve"}', deviations=_but("takes the last")
    ),
    BadRequest("two secrets", _credential()[:-1] + b',"Secret":"x"}', deviations=_but("takes the last")),
    BadRequest(
        "invalid UTF-8 in the server", _credential().replace(b"registry", b"r\xff"), deviations=_STORES_IT
    ),
    BadRequest(
        "invalid UTF-8 in the username", _credential().replace(b"mallory", b"m\xc3("), deviations=_STORES_IT
    ),
    BadRequest(
        "invalid UTF-8 in the secret", _credential(Secret="@").replace(b"@", b"\x80"), deviations=_STORES_IT
    ),
    BadRequest("overlong UTF-8", _credential(Secret="@").replace(b"@", b"\xc0\xaf"), deviations=_STORES_IT),
    BadRequest(
        "a lone surrogate in the server", _credential(ServerURL="h\ud800.example"), deviations=_STORES_IT
    ),
    BadRequest("a lone surrogate in the username", _credential(Username="\udfff"), deviations=_STORES_IT),
    BadRequest(
        "a lone surrogate in the secret", _credential(Secret="\udc80" + CANARY), deviations=_STORES_IT
    ),
    BadRequest(
        "a raw newline in the secret", _credential(Secret="@").replace(b"@", b"a\nb"), deviations=_FOLDS
    ),
    BadRequest(
        "a newline in the server", _credential(ServerURL="h.example\nprotocol=https"), deviations=_STORES_IT
    ),
    BadRequest("a space behind the server", _credential(ServerURL="h.example "), deviations=_STORES_IT),
    BadRequest("CR in the server", _credential(ServerURL="h.example\r"), deviations=_STORES_IT),
    BadRequest("NUL in the server", _credential(ServerURL="h.example\0.evil.example"), deviations=_STORES_IT),
    BadRequest(
        "an escape in the server", _credential(ServerURL="h.example\x1b]0;x\x07"), deviations=_STORES_IT
    ),
    BadRequest("DEL in the server", _credential(ServerURL="h.example\x7f"), deviations=_STORES_IT),
    BadRequest("C1 control in the server", _credential(ServerURL="h.example\x9b31m"), deviations=_STORES_IT),
    BadRequest(
        "a newline in the username", _credential(Username="mallory\npassword=x"), deviations=_STORES_IT
    ),
    BadRequest("a tab in the username", _credential(Username="a\tb"), deviations=_STORES_IT),
    BadRequest(
        "NUL in the username", _credential(Username="mallory\0"), deviations=_but("stores it", _KEYRING)
    ),
    BadRequest("a server of 5,000 characters", _credential(ServerURL="a" * 5000), deviations=_STORES_IT),
    BadRequest("a username of 5,000 characters", _credential(Username="a" * 5000), deviations=_STORES_IT),
    BadRequest("a secret one byte too long", _credential(Secret="s" * (LONGEST_SECRET + 1))),
    BadRequest("a secret too long in bytes only", _credential(Secret="é" * (LONGEST_SECRET // 2) + "x")),
    BadRequest("8 MiB of secret", _credential(Secret="s" * (8 << 20))),
    BadRequest("8 MiB of nothing", b" " * (8 << 20)),
    BadRequest("1 MiB of NUL", bytes(1 << 20)),
)

_ONE_NAME = "joins the lines to another name"

SERVERS = (
    BadRequest("nothing", b"", NO_SERVER),
    BadRequest("a newline", b"\n", NO_SERVER),
    BadRequest("CRLF", b"\r\n", NO_SERVER),
    BadRequest("white space", b" \t \n", NO_SERVER),
    BadRequest("several lines", b"https://registry.example\n:5000/v1/\n", deviations=_but(_ONE_NAME)),
    BadRequest("a second line", SERVER.encode() + b"\nhttps://evil.example", deviations=_but(_ONE_NAME)),
    BadRequest("CR inside", b"https://registry.example\r:5000", deviations=_but("looks for it")),
    BadRequest("a tab inside", b"https://registry\t.example", deviations=_but("looks for it")),
    BadRequest("NUL", b"\0", deviations=_but("looks for it")),
    BadRequest("NUL behind it", SERVER.encode() + b"\0", deviations=_but("looks for it")),
    BadRequest("NUL inside", b"registry.example\0.evil.example", deviations=_but("looks for it")),
    BadRequest("an escape", b"\x1b[31mregistry.example", deviations=_but("looks for it")),
    BadRequest("C1 control", "registry.example\x9b31m".encode(), deviations=_but("looks for it")),
    BadRequest("invalid UTF-8", b"r\xff\xfe.example", deviations=_but("looks for it")),
    BadRequest("UTF-16", SERVER.encode("utf-16"), deviations=_but("looks for it")),
    BadRequest("a surrogate in UTF-8", b"r\xed\xa0\x80.example", deviations=_but("looks for it")),
    BadRequest(
        "5,000 characters", b"a" * 5000, deviations=_but("looks for it", f"{_KEYRING} reference-pass/erase")
    ),
    BadRequest("1 MiB", b"a" * (1 << 20)),
    BadRequest("8 MiB of newlines", b"\n" * (8 << 20)),
    BadRequest("1 MiB of NUL", bytes(1 << 20)),
)

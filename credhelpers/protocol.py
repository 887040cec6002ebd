"""Docker's credential-helper protocol: verbs, sentences, stdin, stdout, exit status; nothing of any store.

The contract is that of docker-credential-helpers (credentials/credentials.go): the answer on stdout, exit
status 0; or one sentence on stdout, exit status 1. Clients show stderr to the user, so the cause and its
remedy go there.
"""

import os
import sys

from credhelpers import __version__
from credhelpers.credential import NOT_FOUND, BadRequest, Credential, CredentialError, CredentialsNotFound
from credhelpers.log import Log, one_line, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Store(Protocol):
        """Where credentials are kept; every method raises `CredentialError` when it cannot do its work."""

        def get(self, server: str) -> Credential:
            """Return the credential for a server; raises `CredentialsNotFound`."""

        def store(self, server: str, credential: Credential) -> None:
            """Keep a credential for a server in place of any older one."""

        def erase(self, server: str) -> None:
            """Forget what is kept for exactly this server; forgetting nothing is no error."""

        def list(self) -> dict[str, str]:
            """Return the username of each server."""


LONGEST_SECRET = 1 << 20
"""Bytes; the reference helpers stop at 64 KiB, which is short for some identity tokens."""
LONGEST_SERVER = 4096
"""Characters."""
_LONGEST_REQUEST = 6 * LONGEST_SECRET + (1 << 16)  # JSON may spell one byte in six: \u003c

_VERBS = ("store", "get", "erase", "list", "version")


def serve(name: str, open_store: "Callable[[], Store]", log: Log) -> int:
    """Answer the one request that the command line and stdin make.

    Args:
        name: The helper's name; the executable is ``docker-credential-<name>``.
        open_store: Makes the store; called only for a request that is in order.
        log: Where causes are kept for later.

    Returns:
        The exit status.
    """
    executable = "docker-credential-" + name
    _occupy_standard_descriptors()
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    request = _Request()
    try:
        return _perform(verb, executable, open_store, request, log)
    except CredentialsNotFound as missing:
        _tell_not_found(executable, missing, request.server, log)
        return _sentence(NOT_FOUND)
    except CredentialError as error:
        log.error(
            f"Could not {verb} credentials", serverURL=request.server, error=error.cause, remedy=error.remedy
        )
        _tell(executable, error)
        return _sentence(error.cause)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  the executable's edge: no traceback ever reaches a user
        return _sentence(_tell_unexpected(executable, error, log))


class _Request:
    """The server that is asked for, known as soon as stdin has been read."""

    server = ""


def _perform(
    verb: str, executable: str, open_store: "Callable[[], Store]", request: _Request, log: Log
) -> int:
    if verb == "get":
        server = request.server = _read_server()
        credential = open_store().get(server)
        log.debug("Found credentials", serverURL=server, username=credential.username)
        _answer(
            f'{{"ServerURL":{_json(server)},"Username":{_json(credential.username)},'
            f'"Secret":{_json(credential.secret)}}}'
        )
    elif verb == "store":
        request.server, credential = _read_credential()
        open_store().store(request.server, credential)
        log.info("Stored credentials", serverURL=request.server, username=credential.username)
    elif verb == "erase":
        request.server = _read_server()
        open_store().erase(request.server)
        log.info("Erased credentials", serverURL=request.server)
    elif verb == "list":
        _answer(_json_object(open_store().list()))
    elif verb in ("version", "--version", "-v"):
        _answer(f"{executable} (credhelpers) {__version__}")
    elif verb in ("help", "--help", "-h"):
        _answer(_usage(executable))
    else:
        wrong = f"{executable}: unknown action: {one_line(verb)}" if verb else _usage(executable)
        _answer(wrong)
        return 1
    return 0


def _read_server() -> str:
    text = _decode(_read(4 * LONGEST_SERVER)).strip()
    _check("server URL", text)
    return text


def _read_credential() -> tuple[str, Credential]:
    import json

    try:
        fields = json.loads(_decode(_read(_LONGEST_REQUEST)), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "it is nested too deeply or holds a number that is too large")
        raise BadRequest(f"the credential on stdin is not valid JSON: {reason}") from None
    if not isinstance(fields, dict):
        raise BadRequest("the credential on stdin is not a JSON object")
    server, username, secret = (_field(fields, key) for key in ("ServerURL", "Username", "Secret"))
    _check("server URL", server)
    _check("username", username)
    if "Secret" not in fields:
        raise BadRequest("no credentials secret")
    if len(secret.encode()) > LONGEST_SECRET:
        raise BadRequest(f"the secret is longer than {LONGEST_SECRET} bytes")
    return server, Credential(username, secret)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("the credential on stdin has the same field twice")
    return fields


def _field(fields: dict[str, object], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise BadRequest(f"{key} of the credential on stdin is not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRequest(f"{key} of the credential on stdin is not valid Unicode") from None
    return value


def _check(what: str, text: str) -> None:
    """Refuse what clients never send and what could smuggle a second line or field into somebody's output."""
    if not text:
        raise BadRequest(f"no credentials {what}")
    if len(text) > LONGEST_SERVER:
        raise BadRequest(f"the {what} is longer than {LONGEST_SERVER} characters")
    if not text.isprintable() and any(
        ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text
    ):
        raise BadRequest(f"the {what} contains a control character")


def _read(limit: int) -> bytes:
    chunks = []
    size = 0
    try:
        while chunk := os.read(0, 1 << 16):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise BadRequest(f"stdin is longer than {limit} bytes")
    except OSError as error:
        raise BadRequest(f"cannot read stdin: {error.strerror}") from None
    return b"".join(chunks)


def _decode(request: bytes) -> str:
    try:
        return request.decode()
    except UnicodeDecodeError:
        raise BadRequest("stdin is not valid UTF-8") from None


def _json(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text, ensure_ascii=False)


def _json_object(fields: dict[str, str]) -> str:
    return "{" + ",".join(f"{_json(key)}:{_json(value)}" for key, value in fields.items()) + "}"


def _answer(text: str) -> None:
    rest = memoryview(text.encode() + b"\n")
    try:
        while rest:
            rest = rest[os.write(1, rest) :]
    except OSError as error:
        raise CredentialError(f"cannot write the answer to stdout: {error.strerror}") from None


def _sentence(text: str) -> int:
    """Say on stdout why there is no answer; clients take it for the error's text."""
    try:
        _answer(one_line(text))
    except CredentialError:
        pass
    return 1


def _tell(executable: str, error: CredentialError) -> None:
    warn(f"{executable}: {error.cause}")
    if error.remedy:
        warn(f"{executable}: {error.remedy}")


def _tell_not_found(executable: str, missing: CredentialsNotFound, server: str, log: Log) -> None:
    if missing.cause:
        log.error("Credentials not found", serverURL=server, error=missing.cause, remedy=missing.remedy)
        _tell(executable, missing)
        return
    log.info("Credentials not found", serverURL=server)
    if not os.isatty(2):  # a person who pulls a public image wants no word about it; Nomad shows stderr only
        warn(f"{executable}: no credentials are stored for {server}")


def _tell_unexpected(executable: str, error: Exception, log: Log) -> str:
    """Name a fault of ours by its kind and place only: its text may hold a secret."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
    fault = CredentialError(
        f"internal error: {type(error).__name__} at {place}", "please report it, with this line"
    )
    log.error("Internal error", error=fault.cause)
    _tell(executable, fault)
    return fault.cause


def _usage(executable: str) -> str:
    return f"Usage: {executable} <{'|'.join(_VERBS)}>"


def _occupy_standard_descriptors() -> None:
    """Keep a descriptor that the client closed from being given to a file of ours.

    Each is opened the wrong way round, so that using it still fails.
    """
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)

"""The bytes on stdin and stdout: requests read within bounds and checked, answers written as compact JSON."""

import os

from credhelpers import files
from credhelpers.credential import BadRequest, Credential, CredentialError, StoreUnavailable
from credhelpers.servers import flaw

LONGEST_SECRET = 1 << 20
"""Bytes; the reference helpers stop at 64 KiB, which is short for some identity tokens."""
LONGEST_SERVER = 4096
"""Characters."""
_LONGEST_REQUEST = 6 * LONGEST_SECRET + (1 << 16)  # JSON may spell one byte in six: \u003c


def read_server() -> str:
    """Return the server URL on stdin, without the white space that some clients add.

    Raises:
        BadRequest: It is missing, too long, or not printable text.
    """
    text = _read(4 * LONGEST_SERVER).strip()
    _check("server URL", text)
    return text


def read_credential() -> tuple[str, Credential]:
    """Return the server URL and the credential that stdin holds as a JSON object.

    Raises:
        BadRequest: The protocol does not allow it; the message names the field, never its value.
    """
    import json

    try:
        fields = json.loads(_read(_LONGEST_REQUEST), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "it is nested too deeply or has a number that is too large")
        raise BadRequest(f"the credential on stdin is not valid JSON: {reason}") from None
    if not isinstance(fields, dict):
        raise BadRequest("the credential on stdin is not a JSON object")
    server, username, secret = (_field(fields, key) for key in ("ServerURL", "Username", "Secret"))
    _check("server URL", server)
    if server != server.strip():
        raise BadRequest("the server URL has white space around it, so clients could not ask for it again")
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
    """Refuse what could smuggle a second line or field into another program's output."""
    if not text:
        raise BadRequest(f"no credentials {what}")
    if len(text) > LONGEST_SERVER:
        raise BadRequest(f"the {what} is longer than {LONGEST_SERVER} characters")
    found = flaw(text)
    if found:
        raise BadRequest(f"the {what} {found}")


def _read(limit: int) -> str:
    """Return all of stdin.

    A directory never gets here: CPython itself exits before our code runs (init_sys_streams), with exit
    status 1, nothing on stdout and its own message on stderr. Only the launcher can say more.

    Raises:
        BadRequest: It is longer than the limit, in bytes, or cannot be read, or is not UTF-8.
    """
    chunks = []
    size = 0
    try:
        while chunk := os.read(0, 1 << 16):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise BadRequest(f"stdin is longer than {limit} bytes")
        return b"".join(chunks).decode()
    except OSError as error:
        raise BadRequest(f"cannot read stdin: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest("stdin is not valid UTF-8") from None


def credential_json(server: str, credential: Credential) -> str:
    """Return the answer to ``get``; the server is as in the request."""
    return (
        f'{{"ServerURL":{_string(server)},"Username":{_string(credential.username)},'
        f'"Secret":{_string(credential.secret)}}}'
    )


def check_answer(credential: Credential) -> None:
    """Refuse a stored credential that no client could have stored.

    Raises:
        StoreUnavailable: The username or the secret is not text; the message holds neither.
    """
    found = flaw(credential.username)
    what = "username" if found else "secret"
    if not found and not credential.secret.isascii():
        try:
            credential.secret.encode()
        except UnicodeEncodeError:
            found = "is not valid Unicode"
    if found:
        raise StoreUnavailable(f"the stored {what} {found}", "store it again: docker login")


def list_json(usernames: dict[str, str]) -> str:
    """Return the answer to ``list``: the username of each server; may be ``{}``."""
    return "{" + ",".join(f"{_string(key)}:{_string(value)}" for key, value in usernames.items()) + "}"


def _string(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text, ensure_ascii=False)


def write_answer(text: str) -> None:
    """Write a line to stdout.

    Raises:
        CredentialError: The reader has closed it, or the disk behind it is full.
    """
    try:
        files.write_all(1, text.encode() + b"\n")
    except OSError as error:
        raise CredentialError(f"cannot write the answer to stdout: {error.strerror}") from None


def occupy_standard_descriptors() -> None:
    """Open the standard descriptors that the client closed, so that no file that we open gets their numbers.

    Each is opened for the wrong direction, so that using it still fails.
    """
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)

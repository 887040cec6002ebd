"""DOCKER_AUTH_CONFIG: the credentials that Docker's CLI takes from the environment, before any helper.

Since 28.3 the CLI, its plug-ins and other programs look there first, by exactly the key under which they ask
for a server. One thing in it that they do not know makes them ignore all of it.
(docker/cli config/configfile/file.go, parseEnvConfig; config/memorystore/store.go)
"""

from collections.abc import Mapping
from typing import NoReturn

from credhelpers.clients import go_json
from credhelpers.clients.docker_config import plaintext_in
from credhelpers.credential import Credential, CredentialError

NAME = "DOCKER_AUTH_CONFIG"
"""The variable."""


def credentials(environ: Mapping[str, str]) -> dict[str, Credential]:
    """Return the credential of each server in the variable; none when it is not set.

    Args:
        environ: The environment of the client.

    Raises:
        CredentialError: Docker's CLI ignores the variable; the cause says why, without a secret.
    """
    text = environ.get(NAME, "")
    if not text.strip():
        return {}
    try:
        content = go_json.load(text)
    except (ValueError, RecursionError) as error:
        _refuse(f"is not valid JSON: {error}")
    return {server: _credential(server, entry) for server, entry in _fields(content, "auths").items()}


def _credential(server: str, entry: object) -> Credential:
    auth = _only(entry, "auth", f"the entry of {server}")
    if not auth:
        _refuse(f"has no auth for {server}")
    secret = plaintext_in({"auth": auth})
    if secret is None or secret.kind == "unreadable" or not secret.credential.username:
        _refuse(f"has an auth for {server} that is not base64 of username:password")
    return secret.credential


def _fields(content: object, name: str) -> dict[str, object]:
    table = _only(content, name, "it")
    if table is not None and not isinstance(table, dict):
        _refuse(f"is not valid for Docker: {name} must be an object")
    return table or {}


def _only(content: object, name: str, where: str) -> object:
    """Return the one field that an object may have; None when it is missing."""
    if content is None:
        return None
    if not isinstance(content, dict):
        _refuse(f"is not valid for Docker: {where} must be an object")
    for key in content:
        if go_json.fold(key) != name:
            _refuse(f"has the key {key}, which Docker does not know there")
    return next(iter(content.values()), None)


def _refuse(what: str) -> NoReturn:
    raise CredentialError(f"{NAME} {what}", f"unset {NAME}", fault="ignored") from None

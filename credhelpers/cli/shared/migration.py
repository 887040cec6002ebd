"""Moving credentials into another helper: each is read back before it is removed from the old place."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from credhelpers.cli.shared.own_store import has_one_place, without_processes
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, docker_key, hostname_of
from credhelpers.clients.go_json import characters
from credhelpers.credential import BadRequest, Credential, CredentialError, CredentialsNotFound
from credhelpers.servers import HUB_HOSTS

if TYPE_CHECKING:
    from credhelpers.store import Store

# Since 0.9.0 the reference Secret Service helper lists the labels of its items instead of their servers.
_LABEL = "Registry credentials for "
_MOVABLE = ("password", "identity token")
_PROBE = "/credhelpers-probe-"

Explain = Callable[[CredentialError], CredentialError]


@dataclass(frozen=True)
class Found:
    """A credential in the old place.

    Attributes:
        server: Its key.
        username: Its username.
        kind: ``password``, ``identity token`` or another kind that config.json may have.
        read: Returns the credential.
        new_key: The key under which the new store keeps it; empty for the same.
    """

    server: str
    username: str
    kind: str
    read: Callable[[], Credential]
    new_key: str = ""

    @property
    def is_movable(self) -> bool:
        """Whether a helper can store it."""
        return self.kind in _MOVABLE

    def summary(self) -> dict[str, str]:
        """Return it as reports have it."""
        return {"server": self.server, "username": self.username, "kind": self.kind}


@dataclass
class Outcome:
    """Which credentials were moved.

    Attributes:
        moved: Those that the new store has, by server.
        failed: The reason for each that was not moved, by server.
        renewed: Tokens of ECR that were not moved, because the new helper gets its own, by server.
        shared: The servers for which both helpers have the same entry, which is therefore not erased.
    """

    moved: dict[str, Credential] = field(default_factory=dict)
    failed: dict[str, CredentialError] = field(default_factory=dict)
    renewed: dict[str, Credential] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)


def in_file(config: DockerConfig) -> list[Found]:
    """Return the secrets in a config.json that a helper can have in its place.

    A secret that Docker finds by the host in its key, such as ``https://host/v1/``, is stored under the host:
    a helper is asked for that alone.
    """
    found = []
    secrets, kept = config.plaintext(), kept_in_file(config)
    used = {hostname_of(key): key for key in reversed(secrets)} | {key: key for key in secrets}
    for server, secret in secrets.items():
        host = hostname_of(server)
        is_by_host = used[host] == server and host not in HUB_HOSTS
        read = partial(_checked, server, secret.kind, secret.credential)
        new_key = host if is_by_host else ""
        found.append(Found(server, secret.credential.username, secret.kind, read, new_key))
    return [item for item in found if item.server not in kept]


def kept_in_file(config: DockerConfig) -> list[str]:
    """Return the keys of the secrets for which Docker asks no helper: credHelpers names the file itself."""
    return [key for key in config.plaintext() if config.cred_helpers.get(docker_key(key)) == ""]


def in_helper(source: "Store") -> list[Found]:
    """Return all that a helper lists.

    Raises:
        CredentialError: It cannot list.
    """
    source = without_processes(source)
    listed = {
        characters(server).removeprefix(_LABEL): characters(username)
        for server, username in source.list().items()
    }
    return [
        Found(server, username, _MOVABLE[username == TOKEN_USERNAME], partial(_read, source, server))
        for server, username in listed.items()
        if _PROBE not in server
    ]


def put_all(
    found: list[Found], target: "Store", *, overwrite: bool, explain: Explain, advance: Callable[[], object]
) -> Outcome:
    """Store each credential and read it back.

    Args:
        found: What to store.
        target: Where to store it.
        overwrite: Whether to replace other credentials that the target has; else those servers fail.
        explain: Completes the cause and remedy of each failure.
        advance: Called after each credential.

    Raises:
        CredentialError: The target cannot list what it has.
    """
    target = without_processes(target)
    outcome = Outcome()
    known = target.list()
    for server in known:
        if _PROBE in server:
            target.erase(server)  # left by an interrupted run
    for item in found:
        try:
            credential = item.read()
            key = item.new_key or item.server
            _put(key, credential, target, known=key in known, overwrite=overwrite)
            outcome.moved[item.server] = credential
        except CredentialError as error:
            outcome.failed[item.server] = explain(error)
        advance()
    return outcome


def erase_all(
    outcome: Outcome, source: "Store", target: "Store", explain: Explain, advance: Callable[[], object]
) -> None:
    """Erase what was moved from its old helper; what cannot be erased counts as failed.

    Two helpers may have one store, such as ``secretservice`` and ``keyring``, or ``pass`` and ``auto``: then
    erasing from one would erase from both, so nothing is erased.

    Args:
        outcome: What was moved; it is changed.
        source: The old helper.
        target: The new one.
        explain: Completes the cause and remedy of each failure.
        advance: Called after each credential.
    """
    source, target = without_processes(source), without_processes(target)
    decided = has_one_place(source) and has_one_place(target)  # by the first server
    is_same: bool | None = None
    for server, credential in list(outcome.moved.items()):
        try:
            if is_same is None or not decided:
                is_same = _is_same_store(server, source, target)
            if is_same:
                outcome.shared.append(server)
            else:
                _erase(server, credential, source)
                _put(server, credential, target, known=True, overwrite=True)
        except CredentialError as error:
            outcome.failed[server] = explain(error)
            del outcome.moved[server]
        advance()
    for server, credential in list(outcome.renewed.items()):
        try:
            _erase(server, credential, source)
        except CredentialError as error:
            outcome.failed[server] = explain(error)
            del outcome.renewed[server]


def _put(server: str, credential: Credential, target: "Store", *, known: bool, overwrite: bool) -> None:
    if known:
        there = _get(target, server)
        if there == credential:
            return  # an earlier run has done it
        if there is not None and not overwrite:
            raise CredentialError(
                "the store has another credential for it", "replace it by the one to be moved: --overwrite"
            )
    target.store(server, credential)
    there = _get(target, server)
    if there != credential:
        raise CredentialError("the store does not return what was stored", "find out why: credhelpers doctor")


def _erase(server: str, credential: Credential, source: "Store") -> None:
    source.erase(server)
    if _get(source, server) == credential:
        raise CredentialError("it is in the store, but its old helper does not erase it")


def _is_same_store(server: str, source: "Store", target: "Store") -> bool:
    """Return whether the source has a probe that is stored in the target, beside the server's own entry."""
    word = secrets.token_hex(8)
    probe = f"{server.rstrip('/')}{_PROBE}{word}"
    target.store(probe, Credential("probe", word))
    try:
        there = _get(source, probe)
        return there is not None and there.secret == word
    finally:
        target.erase(probe)


def _get(store: "Store", server: str) -> Credential | None:
    try:
        return _read(store, server)
    except CredentialsNotFound:
        return None


def _read(store: "Store", server: str) -> Credential:
    """Read a credential as Docker reads it."""
    credential = store.get(server)
    return Credential(characters(credential.username), characters(credential.secret))


def _checked(server: str, kind: str, credential: Credential) -> Credential:
    """Return a credential of config.json that a helper can store.

    Raises:
        BadRequest: It is of another kind.
    """
    if kind in _MOVABLE:
        return credential
    unreadable = kind == "unreadable"
    cause = "its auth is not base64 of username:password" if unreadable else f"no helper keeps a {kind}"
    again = f"credhelpers logout {quote(server)} && docker login {quote(server)}"
    raise BadRequest(cause, f"log in again: {again}")

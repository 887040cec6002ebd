"""Moving credentials into another helper: each is read back before anything is removed where it was."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from credhelpers.clients import docker_config_edit
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig
from credhelpers.clients.go_json import characters
from credhelpers.clients.shared_file import Edit
from credhelpers.credential import BadRequest, Credential, CredentialError, CredentialsNotFound

if TYPE_CHECKING:
    from credhelpers.store import Store

# Since 0.9.0 the reference Secret Service helper lists the labels of its items instead of their servers.
_LABEL = "Registry credentials for "
_MOVABLE = ("password", "identity token")
_PROBE = "/credhelpers-probe-"


Explain = Callable[[CredentialError], CredentialError]


@dataclass(frozen=True)
class Found:
    """A credential in the place that is to be emptied.

    Attributes:
        server: Its key.
        username: Whose it is.
        kind: ``password``, ``identity token`` or another kind of config.json's.
        read: Gets the credential.
    """

    server: str
    username: str
    kind: str
    read: Callable[[], Credential]

    @property
    def is_movable(self) -> bool:
        """Whether a helper can keep such a thing."""
        return self.kind in _MOVABLE


@dataclass
class Outcome:
    """What became of the credentials.

    Attributes:
        moved: Those that the store has by now, by server.
        failed: Those that stayed where they are, and why.
        shared: The servers for which both helpers keep one and the same entry; it is not erased.
    """

    moved: dict[str, Credential] = field(default_factory=dict)
    failed: dict[str, CredentialError] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)


def in_file(config: DockerConfig) -> list[Found]:
    """Return the secrets that stand in a config.json."""
    found = []
    for server, secret in config.plaintext().items():
        movable = secret.kind in _MOVABLE
        read = _giving(secret.credential) if movable else _refusing(server, secret.kind)
        found.append(Found(server, secret.credential.username, secret.kind, read))
    return found


def in_helper(source: "Store") -> list[Found]:
    """Return all that a helper lists.

    Raises:
        CredentialError: It cannot list.
    """
    listed = {
        characters(server).removeprefix(_LABEL): characters(username)
        for server, username in source.list().items()
    }
    return [
        Found(server, username, _MOVABLE[username == TOKEN_USERNAME], _getting(source, server))
        for server, username in listed.items()
        if _PROBE not in server
    ]


def put_all(
    found: list[Found], target: "Store", *, overwrite: bool, explain: Explain, advance: Callable[[], object]
) -> Outcome:
    """Store each credential and read it back.

    Args:
        found: What to store.
        target: Where; a server that it has already with another secret fails.
        overwrite: Whether it does not, and what is there is replaced.
        explain: Completes the cause and remedy of what failed.
        advance: Called after each.

    Raises:
        CredentialError: The target cannot list what it has.
    """
    outcome = Outcome()
    known = target.list()
    for server in known:
        if _PROBE in server:
            target.erase(server)  # of a run that was broken off
    for item in found:
        try:
            credential = item.read()
            _put(item.server, credential, target, known=item.server in known, overwrite=overwrite)
            outcome.moved[item.server] = credential
        except CredentialError as error:
            outcome.failed[item.server] = explain(error)
        advance()
    return outcome


def erase_all(outcome: Outcome, source: "Store", target: "Store", explain: Explain) -> None:
    """Erase what was moved from the helper that it came from; what cannot be erased counts as failed.

    Two names may stand for one place, such as ``secretservice`` and ``keyring``, or ``pass`` and ``auto``:
    then erasing it here would erase it there, so it is left.
    """
    for server, credential in list(outcome.moved.items()):
        try:
            if _is_one_place(server, source, target):
                outcome.shared.append(server)
            else:
                _erase(server, credential, source)
                _put(server, credential, target, known=True, overwrite=True)
        except CredentialError as error:
            outcome.failed[server] = explain(error)
            del outcome.moved[server]


def hand_over(path: str, outcome: Outcome, store: str | None) -> bool:
    """Let config.json name the store, and remove the secrets that the store has.

    Returns:
        Whether there was anything to do.

    Raises:
        CredentialError: The file cannot be written.
    """
    return Edit(path, docker_config_edit.hand_over(path, outcome.moved, list(outcome.moved), store)).make()


def _put(server: str, credential: Credential, target: "Store", *, known: bool, overwrite: bool) -> None:
    if known:
        there = _get(target, server)
        if there == credential:
            return  # an earlier run has done it
        if there is not None and not overwrite:
            raise CredentialError(
                "the store has another credential for it", "take the one that is to be moved: --overwrite"
            )
    target.store(server, credential)
    there = _get(target, server)
    if there != credential:
        raise CredentialError(
            "the store does not give back what it was given", "see what credhelpers doctor says of it"
        )


def _erase(server: str, credential: Credential, source: "Store") -> None:
    source.erase(server)
    if _get(source, server) == credential:
        raise CredentialError("it is in the store, but its old helper does not erase it")


def _is_one_place(server: str, source: "Store", target: "Store") -> bool:
    """Tell whether what one store is given turns up in the other, by an entry beside the server's own."""
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
        return _as_docker_reads(store.get(server))
    except CredentialsNotFound:
        return None


def _giving(credential: Credential) -> Callable[[], Credential]:
    return lambda: credential


def _getting(source: "Store", server: str) -> Callable[[], Credential]:
    return lambda: _as_docker_reads(source.get(server))


def _as_docker_reads(credential: Credential) -> Credential:
    return Credential(characters(credential.username), characters(credential.secret))


def _refusing(server: str, kind: str) -> Callable[[], Credential]:
    def refuse() -> Credential:
        cause = (
            "its auth is not base64 of username:password"
            if kind == "unreadable"
            else f"no helper keeps a {kind}"
        )
        again = f"credhelpers logout {quote(server)} && docker login {quote(server)}"
        raise BadRequest(cause, f"log in again: {again}")

    return refuse

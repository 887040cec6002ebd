"""The credentials that clients get now, and their copies in the store, which are there before the switch."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from credhelpers.cli.shared import ecr_logins, migration
from credhelpers.cli.shared.helper_programs import helper_for, open_on_path
from credhelpers.cli.shared.migration import Found, Outcome
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound
from credhelpers.stores.auto.external import PREFIX, find_helper

if TYPE_CHECKING:
    from credhelpers.store import Store


def in_use(docker: DockerConfig, store: str) -> tuple[list[Found], list[CredentialError]]:
    """Return the credentials that Docker gets now and would be asked of another helper afterwards.

    Args:
        docker: Docker's configuration.
        store: The helper that it is going to name.

    Returns:
        The credentials, by the key by which Docker asks; and warnings.

    Raises:
        CredentialError: The helper that Docker asks now cannot list what it has.
    """
    helper = helper_for(docker, "")
    if not helper:
        return in_file(docker, lambda server: server not in docker.cred_helpers), []
    if helper == store:
        return [], []
    if find_helper(helper, os.environ) is None:
        missing = f"{PREFIX}{helper}, which Docker asks now, is not installed: what it kept is not copied"
        return [], [CredentialError(missing, "log in again where a login is missing: docker login SERVER")]
    return [
        item
        for item in migration.in_helper(open_on_path(helper))
        if docker_key(item.server) not in docker.cred_helpers
    ], []


def in_file(auths: DockerConfig, is_wanted: Callable[[str], bool]) -> list[Found]:
    """Return the secrets in a file as clients find them: by key, or by the host in a key."""
    found: dict[str, Found] = {}
    for item in migration.in_file(auths):
        server = docker_key(item.server)
        if is_wanted(server) and (server not in found or item.server == server):
            found[server] = replace(item, server=server, new_key=server)
    return list(found.values())


def copy(found: Iterable[Found], store: str, advance: Callable[[], object], *, overwrite: bool) -> Outcome:
    """Copy credentials into a store and read each back; those that it has already are compared only.

    A registry of ECR needs a token, and not the one that is there: that is not copied, and the store has to
    get its own.

    Args:
        found: What to copy.
        store: The helper.
        advance: Called after each.
        overwrite: Whether other credentials of the same user are replaced.

    Raises:
        CredentialError: The store is not installed or does not work.
    """
    target = open_on_path(store)
    known = target.list()
    wanted: dict[str, Found] = {}
    refused: dict[str, CredentialError] = {}
    items = list(found)
    tokens = [item for item in items if ecr_logins.is_token(item)]
    for item in items:
        if item in tokens:
            continue
        same = wanted.get(item.server)
        if same and same.read() != item.read():
            refused[item.server] = CredentialError(
                "Docker and podman have different credentials for it, and a store keeps one",
                "leave podman as it is: --no-podman",
            )
        elif item.server in known and not _may_replace(item, known[item.server], target, overwrite=overwrite):
            refused[item.server] = CredentialError(
                f"{store} has another credential for it already",
                f"replace that one: credhelpers migrate --to {quote(store)} --overwrite",
            )
        wanted.setdefault(item.server, item)
    movable = [item for server, item in wanted.items() if server not in refused]
    outcome = migration.put_all(movable, target, overwrite=True, explain=lambda error: error, advance=advance)
    for server in list(outcome.failed):
        if ecr_logins.gets_tokens(server, store) and _answers(target, server):
            outcome.moved[server] = wanted[server].read()
            del outcome.failed[server]
    outcome.failed.update(refused)
    for item in tokens:
        try:
            ecr_logins.check_own_token(item, store)
            outcome.renewed.setdefault(item.server, item.read())  # Docker's before podman's
        except CredentialError as error:
            outcome.failed[item.server] = error
        advance()
    return outcome


def answer(helper: str, auths: DockerConfig, server: str) -> Credential | None:
    """Return what a client gets for a server from a helper, or without one from its file; None for nothing.

    Raises:
        CredentialError: The helper fails.
    """
    if not helper:
        secret = auths.plaintext_for(server)
        return secret.credential if secret else None
    try:
        return open_on_path(helper, on_stderr=lambda _: None).get(server)
    except CredentialsNotFound:
        return None


def listed(helper: str) -> list[str]:
    """Return the servers that a helper has, as clients ask for them; none when it cannot list.

    Raises:
        StoreUnavailable: It is installed, and cannot list.
    """
    if find_helper(helper, os.environ) is None:
        return []
    return [docker_key(server) for server in open_on_path(helper, on_stderr=lambda _: None).list()]


def _may_replace(item: Found, username: str, target: "Store", *, overwrite: bool) -> bool:
    """Return whether a credential that the store has is the one to be copied, or an older one of its user."""
    if overwrite and username == item.username:
        return True
    try:
        return target.get(item.server) == item.read()
    except CredentialsNotFound:
        return True


def _answers(target: "Store", server: str) -> bool:
    try:
        target.get(server)
    except CredentialError:
        return False
    return True

"""Pointing Docker, podman and Nomad at the store once it has what they need, each file in one step."""

import os
from collections.abc import Callable, Mapping

from credhelpers.cli.setup.record import keep_record
from credhelpers.cli.shared.helper_programs import helper_for
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import FormerHelpers
from credhelpers.clients.shared_file import Change, Edit, read_if_exists
from credhelpers.credential import Credential, CredentialError


class Newer(Exception):
    """A client has been given another credential since they were copied."""


def switch_docker(path: str, store: str, copied: Mapping[str, Credential], former: str) -> bool:
    """Let Docker ask the store, and remove from its file the secrets that the store has.

    Args:
        path: Its config.json.
        store: The helper.
        copied: What the store has, by the key by which Docker asks.
        former: The helper that Docker asked when they were copied.

    Returns:
        Whether anything changed.

    Raises:
        Newer: Docker has another credential, or another helper, since.
        CredentialError: The file cannot be written; it is unchanged.
    """
    content = read_if_exists(path)
    docker = DockerConfig(path, content or b"")
    if docker.creds_store != store:
        # As JSON text, such as `"pass"`; None for a file without the key.
        value = FormerHelpers.of(path, content).creds_store
        keep_record(path, store, docker.creds_store, value, existed=content is not None)

    def change(content: bytes | None) -> bytes | None:
        newest = DockerConfig(path, content or b"")
        if helper_for(newest, "") not in (former, store):
            raise Newer
        return _hand_over(newest, copied, store, is_switch=not former)(content)

    return Edit(path, change).make()


def empty_auths(path: str, copied: Mapping[str, Credential]) -> bool:
    """Remove from podman's auth.json the secrets that the store has; return whether there were any."""

    def change(content: bytes | None) -> bytes | None:
        if content is None:
            return None
        return _hand_over(DockerConfig(path, content), copied, None, is_switch=False)(content)

    return Edit(path, change).make()


def _hand_over(
    auths: DockerConfig, copied: Mapping[str, Credential], store: str | None, *, is_switch: bool
) -> Change:
    """Return the change that removes what was copied; raise `Newer` where more would be lost by a switch."""
    secrets: dict[str, Credential | None] = {}
    used = auths.plaintext_by_server()
    for name, secret in auths.plaintext().items():
        key = docker_key(name)
        if auths.cred_helpers.get(key) == "":
            continue  # the file itself is named as the place of this one
        if secret.credential == copied.get(key):
            secrets[name] = secret.credential
        elif is_switch and key not in auths.cred_helpers and used[key] == secret:
            raise Newer
    return docker_config_edit.hand_over(auths.path, secrets, [], store)


def switch_podman(path: str, store: str) -> bool:
    """Let podman, buildah and skopeo ask the store before they look into their files."""
    content = read_if_exists(path)
    change = podman.set_store(path, store)
    if change(content) == content:
        return False
    keep_record(path, store, podman.store_in(content), _text(content), existed=content is not None)
    return Edit(path, change, 0o644).make()


def answer_empty(path: str) -> bool:
    """Let helpers answer Nomad with nothing, rather than an error, where nothing is stored."""
    content = read_if_exists(path)
    change = nomad.answer_empty(path)
    if change(content) == content:
        return False
    value = nomad.not_found_in(path, content or b"")
    keep_record(path, "empty", value, value, existed=content is not None)
    return Edit(path, change, 0o644).make()


def switch_nomad(path: str, helper: str) -> bool:
    """Let Nomad's docker driver ask the store."""
    content = read_if_exists(path)
    change = nomad.write_stanza(os.path.dirname(path), helper)
    if change(content) == content:
        return False
    keep_record(path, helper, nomad.helper_in(content), _text(content), existed=content is not None)
    return Edit(path, change, 0o644).make()


def until_stable(rounds: int, attempt: Callable[[], bool]) -> bool:
    """Repeat copying and switching until no login comes between.

    Raises:
        CredentialError: Logins keep coming.
    """
    for _ in range(rounds):
        try:
            return attempt()
        except Newer:
            continue
    raise CredentialError(
        "other programs keep writing credentials to Docker's configuration",
        "run this again when they have finished: credhelpers setup",
    )


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")

"""Which files `credhelpers configure` edits, and how each edit is undone."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from credhelpers import settings
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import docker_config_path, docker_key
from credhelpers.clients.shared_file import BACKUP, Change, Edit, read_if_exists
from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.hosts import host_of
from credhelpers.stores.ecr.mapping import choose

ECR_HELPER = "ecr-login"


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for.

    Attributes:
        store: The helper for every server without one of its own; None to leave that as it is.
        ecr: The ECR registries that are to have the ECR helper.
        for_podman: Whether podman is set up too.
        for_nomad: Whether a Nomad client is set up.
        docker_directory: Where Docker's config.json is; None for the usual place.
        nomad_directory: Where Nomad's configuration is; None for the usual place.
        system_file: The configuration of the helpers for every user.
    """

    store: str | None
    ecr: tuple[str, ...]
    for_podman: bool
    for_nomad: bool
    docker_directory: str | None
    nomad_directory: str | None
    system_file: str

    @property
    def nomad_helper(self) -> str:
        """The helper that Nomad's docker driver is to ask about every image."""
        return self.store or ECR_HELPER

    @property
    def writes_stanza(self) -> bool:
        """Whether there is a directory to write Nomad's stanza into; else it is shown."""
        return self.nomad_directory is not None or os.path.isdir(nomad.DIRECTORY)

    def docker_path(self, environ: Mapping[str, str]) -> str:
        """Return the path of Docker's config.json."""
        return docker_config_path(environ, self.docker_directory)

    def stanza_path(self) -> str:
        """Return the path of the file with Nomad's stanza."""
        return os.path.join(self.nomad_directory or nomad.DIRECTORY, nomad.FILE_NAME)


def edits(wishes: Wishes, environ: Mapping[str, str]) -> list[Edit]:
    """Return the edits that make the wishes come true.

    Raises:
        CredentialError: A host is no ECR registry, or there is no home directory.
    """
    helpers = {_ecr_key(host, environ): ECR_HELPER for host in wishes.ecr}
    planned = []
    if wishes.store or helpers:
        path = wishes.docker_path(environ)
        planned.append(Edit(path, docker_config_edit.choose_helpers(path, wishes.store, helpers)))
    if wishes.for_podman and helpers:
        path = podman.lasting_auth_path(environ)
        planned.append(Edit(path, docker_config_edit.choose_helpers(path, None, helpers)))
    if wishes.for_podman and wishes.store:
        path = podman.store_path(environ)
        planned.append(Edit(path, podman.choose_store(path, wishes.store), 0o644))
    if wishes.for_nomad:
        planned.append(Edit(wishes.system_file, nomad.answer_empty(wishes.system_file), 0o644))
        if wishes.writes_stanza:
            path = wishes.stanza_path()
            change = nomad.write_stanza(os.path.dirname(path), wishes.nomad_helper)
            planned.append(Edit(path, change, 0o644))
    return planned


def undoing_edits(wishes: Wishes, environ: Mapping[str, str]) -> list[Edit]:
    """Return the edits that bring back what the backups have; a file without a backup has none.

    Raises:
        CredentialError: A backup cannot be read.
    """
    undoings = {wishes.docker_path(environ): docker_config_edit.restore_helpers}
    if wishes.for_podman:
        undoings[podman.lasting_auth_path(environ)] = docker_config_edit.restore_helpers
        undoings[podman.store_path(environ)] = _restore_store
    if wishes.for_nomad:
        undoings[wishes.system_file] = _restore_system_file
        undoings[wishes.stanza_path()] = _restore_stanza
    planned = []
    for path, restore in undoings.items():
        backup = read_if_exists(os.path.realpath(path) + BACKUP)
        if backup is not None:
            planned.append(Edit(path, restore(path, backup), keeps_backup=False))
    return planned


def _ecr_key(server: str, environ: Mapping[str, str]) -> str:
    """Return the key by which Docker asks for an ECR registry.

    Raises:
        CredentialError: It is none, however alike it looks.
    """
    host = host_of(server)
    if host and choose(host, settings.load(environ))[0] is not None:
        return docker_key(server).lower()
    if not host:
        raise CredentialError(
            f"{server} gets no token: ECR's registries are reached by HTTPS on port 443",
            "name the registry's host only",
        )
    raise CredentialError(
        f"{server} is no Amazon ECR registry: its host is not <account>.dkr.ecr.<region>.amazonaws.com",
        "for a domain of your own, give its account and region in config.toml: [[ecr.registry]]",
    )


def _restore_store(path: str, backup: bytes) -> Change:
    return _restore(path, backup, podman.is_ours)


def _restore_stanza(path: str, backup: bytes) -> Change:
    return _restore(path, backup, nomad.is_ours)


def _restore_system_file(path: str, backup: bytes) -> Change:
    return _restore(path, backup, lambda content: content == nomad.answer_empty(path)(backup))


def _restore(path: str, backup: bytes, is_untouched: Callable[[bytes], bool]) -> Change:
    def change(content: bytes | None) -> bytes | None:
        if content is not None and content != backup and not is_untouched(content):
            raise CredentialError(
                f"{path} has been edited since", f"compare it with {os.path.realpath(path)}{BACKUP}"
            )
        return backup or None

    return change

"""Which files `credhelpers configure` edits, and how."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers import config
from credhelpers.cli.configure.refusals import check_helper, check_region
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import docker_config_path, docker_key
from credhelpers.clients.former_helpers import backup_of
from credhelpers.clients.shared_file import Edit, whole
from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.hosts import host_of, registry_for
from credhelpers.suite import ECR


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
        force: Whether to go on where every pull would fail by it.
    """

    store: str | None
    ecr: tuple[str, ...]
    for_podman: bool
    for_nomad: bool
    docker_directory: str | None
    nomad_directory: str | None
    system_file: str
    force: bool

    @property
    def nomad_helper(self) -> str:
        """The helper that Nomad's docker driver is to ask about every image."""
        return self.store or ECR.name

    @property
    def helpers(self) -> list[str]:
        """All helpers that are to be named."""
        names = [self.store or "", ECR.name if self.ecr else ""]
        if self.for_nomad:
            names.append(self.nomad_helper)
        return list(dict.fromkeys(filter(None, names)))

    @property
    def writes_stanza(self) -> bool:
        """Whether there is a directory to write Nomad's stanza into; else it is shown."""
        return self.nomad_directory is not None or os.path.isdir(nomad.DIRECTORY)

    def docker_path(self, environ: Mapping[str, str]) -> str:
        """Return the path of Docker's config.json."""
        return docker_config_path(environ, self.docker_directory)

    def config_paths(self, environ: Mapping[str, str]) -> list[str]:
        """Return the files that may hold secrets: Docker's config.json and podman's auth.json."""
        paths = [self.docker_path(environ)]
        return [*paths, podman.lasting_auth_path(environ)] if self.for_podman else paths

    def stanza_path(self) -> str:
        """Return the path of the file with Nomad's stanza."""
        return os.path.join(self.nomad_directory or nomad.DIRECTORY, nomad.FILE_NAME)


def edits(wishes: Wishes, environ: Mapping[str, str]) -> list[Edit]:
    """Return the edits that make the wishes come true.

    Raises:
        CredentialError: A host is no ECR registry, a helper or a region does not exist, or there is no home
            directory.
    """
    helpers = {_ecr_key(host, environ): ECR.name for host in wishes.ecr}
    if not wishes.force:
        for host in wishes.ecr:
            check_region(host, environ)
        for name in wishes.helpers:
            check_helper(name)
    planned = []
    if wishes.store or helpers:
        path = wishes.docker_path(environ)
        change = docker_config_edit.set_helpers(path, wishes.store, helpers)
        planned.append(Edit(path, change, backup=backup_of(path)))
    if wishes.for_podman and helpers:
        path = podman.lasting_auth_path(environ)
        change = docker_config_edit.set_helpers(path, None, helpers)
        planned.append(Edit(path, change, backup=backup_of(path)))
    if wishes.for_podman and wishes.store:
        path = podman.store_path(environ)
        planned.append(Edit(path, podman.set_store(path, wishes.store), 0o644, whole))
    if wishes.for_nomad:
        planned.append(Edit(wishes.system_file, nomad.answer_empty(wishes.system_file), 0o644, whole))
        if wishes.writes_stanza:
            path = wishes.stanza_path()
            change = nomad.write_stanza(os.path.dirname(path), wishes.nomad_helper)
            planned.append(Edit(path, change, 0o644, whole))
    return planned


def _ecr_key(server: str, environ: Mapping[str, str]) -> str:
    """Return the key by which Docker asks for an ECR registry.

    Raises:
        CredentialError: It is none, however alike it looks.
    """
    host = host_of(server)
    if host and registry_for(host, config.load(environ))[0] is not None:
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

"""Which files `credhelpers configure` edits, and how."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shlex import quote

from credhelpers import config
from credhelpers.cli.configure.refusals import check_helper, check_region
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import backup_of
from credhelpers.clients.shared_file import BACKUP, Change, Edit, read_if_exists, whole
from credhelpers.credential import CredentialError
from credhelpers.servers import host_of
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.suite import ECR, HELPERS


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes:
        store: The helper for every server without one of its own; empty to leave that as it is.
        ecr: The ECR registries that are to have the ECR helper.
        no_store: Whether the helper for every other server is removed.
        removed: The ECR registries that are to lose the ECR helper.
        for_podman: Whether podman is set up too.
        no_podman: Whether podman is no longer to ask our helpers.
        for_nomad: Whether a Nomad client is set up.
        no_nomad: Whether a Nomad client is no longer to ask our helpers.
        docker_path: Docker's config.json.
        nomad_directory: Nomad's configuration; empty where there is no directory to write the stanza into.
        system_path: The configuration of the helpers for every user.
        force: Whether to go on where every pull would then fail.
    """

    store: str
    ecr: tuple[str, ...]
    no_store: bool
    removed: tuple[str, ...]
    for_podman: bool
    no_podman: bool
    for_nomad: bool
    no_nomad: bool
    docker_path: str
    nomad_directory: str
    system_path: str
    force: bool

    @property
    def nomad_helper(self) -> str:
        """The helper that Nomad's docker driver is to ask about every image."""
        return self.store or ECR.name

    @property
    def helpers(self) -> list[str]:
        """All helpers that are to be named."""
        names = [self.store, ECR.name if self.ecr else "", self.nomad_helper if self.for_nomad else ""]
        return list(dict.fromkeys(filter(None, names)))

    @property
    def config_paths(self) -> list[str]:
        """The files that may hold secrets: Docker's config.json and podman's auth.json."""
        return [self.docker_path, *([podman.lasting_auth_path(os.environ)] if self.for_podman else [])]

    @property
    def stanza_path(self) -> str:
        """The file with Nomad's stanza."""
        return os.path.join(self.nomad_directory or nomad.DIRECTORY, nomad.FILE_NAME)


def edits(request: Request) -> list[Edit]:
    """Return the edits that do what is asked for.

    Raises:
        CredentialError: A host is not an ECR registry, a helper or a region does not exist, or there is no
            home directory.
    """
    helpers = {_ecr_key(host): ECR.name for host in request.ecr}
    if not request.force:
        for host in request.ecr:
            check_region(host)
        for name in request.helpers:
            check_helper(name)
    planned = []
    for path in request.config_paths:
        is_docker = path == request.docker_path
        store = ("" if request.no_store else request.store or None) if is_docker else None
        gone = _named(path, ECR.name, request.removed)
        if store is not None or helpers or gone:
            change = docker_config_edit.set_helpers(path, store, {**gone, **helpers})
            planned.append(Edit(path, change, backup=backup_of(path)))
    return [*planned, *_podman_edits(request), *_nomad_edits(request)]


def _named(path: str, helper: str, servers: Iterable[str]) -> dict[str, None]:
    """Return those of the servers for which a file names a helper."""
    named = DockerConfig.read(path).cred_helpers
    return {key: None for key in map(docker_key, servers) if named.get(key) == helper}


def _podman_edits(request: Request) -> list[Edit]:
    path, auth_path = podman.store_path(os.environ), podman.lasting_auth_path(os.environ)
    if request.no_podman:
        named = DockerConfig.read(auth_path).cred_helpers
        gone = {server: None for server, helper in named.items() if helper in HELPERS}
        change = docker_config_edit.set_helpers(auth_path, None, gone)
        own = Edit(path, _removal(path, podman.is_ours), 0o644, whole)
        return [own, Edit(auth_path, change, backup=backup_of(auth_path))] if gone else [own]
    if not request.for_podman or not (request.store or request.no_store):
        return []
    change = podman.set_store(path, request.store) if request.store else _removal(path, podman.is_ours)
    return [Edit(path, change, 0o644, whole)]


def _nomad_edits(request: Request) -> list[Edit]:
    path, planned = request.system_path, []
    if request.for_nomad:
        planned.append(Edit(path, nomad.answer_empty(path), 0o644, whole))
        if request.nomad_directory:
            change = nomad.write_stanza(os.path.dirname(request.stanza_path), request.nomad_helper)
            planned.append(Edit(request.stanza_path, change, 0o644, whole))
    elif request.no_nomad:
        planned.append(Edit(request.stanza_path, _removal(request.stanza_path, nomad.is_ours), 0o644, whole))
        former = read_if_exists(os.path.realpath(path) + BACKUP)
        if former is not None:
            change = nomad.restore_not_found(path, nomad.not_found_in(path, former))
            planned.append(Edit(path, change, 0o644))
    return planned


def _removal(path: str, is_ours: Callable[[bytes], bool]) -> Change:
    """Return the change that removes a file of ours; one that was edited is refused."""

    def change(content: bytes | None) -> bytes | None:
        if content is not None and not is_ours(content):
            raise CredentialError(
                f"{path} was changed since credhelpers wrote it",
                f"remove it if it is not needed: rm {quote(path)}",
            )
        return None

    return change


def _ecr_key(server: str) -> str:
    """Return the key by which Docker asks for an ECR registry.

    Raises:
        CredentialError: It is not one, however similar its name.
    """
    host = host_of(server)
    if host and registry_for(server, config.load(os.environ))[0] is not None:
        return docker_key(server).lower()
    if not host:
        raise CredentialError(
            f"{server} gets no token: ECR's registries are reached by HTTPS on port 443",
            "name the registry's host only",
        )
    raise CredentialError(
        f"{server} is not an Amazon ECR registry: its host is not <account>.dkr.ecr.<region>.amazonaws.com",
        "for a domain of your own, give its account and region in config.toml: [[ecr.registry]]",
    )

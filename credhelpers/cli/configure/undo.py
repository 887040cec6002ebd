"""How the edits of `credhelpers configure` are undone, and which credentials Docker would then not find."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from credhelpers.cli.configure.edits import Wishes
from credhelpers.cli.shared.chosen_store import open_store
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import former_helpers
from credhelpers.clients.shared_file import BACKUP, Change, Edit, read_if_exists
from credhelpers.credential import CredentialError
from credhelpers.servers import candidate_keys


@dataclass(frozen=True)
class Stranded:
    """Credentials that a helper has, and that Docker would not find any more.

    Attributes:
        servers: Whose they are.
        helper: Who has them.
        former: Whom Docker would ask instead; empty when it would look in its file.
    """

    servers: list[str]
    helper: str
    former: str

    def refusal(self) -> CredentialError:
        """Return the error that says so, with the way out."""
        force = "credhelpers configure --undo --force"
        if self.former:
            back = f"credhelpers migrate --from {self.helper} --to {self.former}"
            remedy = f"bring them back first: {back}; or {force}"
        else:
            remedy = f"keep {self.helper}; or undo it all the same, and log in again: {force}"
        return CredentialError(f"{self._cause('would not ask any more')}; nothing was undone", remedy)

    def warning(self) -> CredentialError:
        """Return what is to be said when it is undone all the same."""
        logins = "; ".join(f"docker login {server}" for server in self.servers)
        return CredentialError(self._cause("does not ask any more"), f"log in again: {logins}")

    def _cause(self, verb: str) -> str:
        return f"the credentials of {', '.join(self.servers)} are in {self.helper}, which Docker {verb}"


def undoing_edits(wishes: Wishes, environ: Mapping[str, str]) -> list[Edit]:
    """Return the edits that take back what `edits` did last; a file without a backup has none.

    Raises:
        CredentialError: A backup cannot be read.
    """
    files: dict[str, Callable[[str, bytes], Change]] = {}
    if wishes.for_podman:
        files[podman.store_path(environ)] = _restore_store
    if wishes.for_nomad:
        files[wishes.system_file] = _restore_system_file
        files[wishes.stanza_path()] = _restore_stanza
    planned = []
    for path in wishes.config_paths(environ):
        former = former_helpers(path)
        if former is not None:
            planned.append(Edit(path, docker_config_edit.restore_helpers(path, former)))
    for path, restore in files.items():
        backup = read_if_exists(os.path.realpath(path) + BACKUP)
        if backup is not None:
            planned.append(Edit(path, restore(path, backup)))
    return planned


def stranded(before: DockerConfig, after: DockerConfig) -> list[Stranded]:
    """Return the credentials that are found by one configuration and would not be by another.

    Docker keeps an entry in ``auths`` of each server that somebody logged in to, also when a helper has the
    secret; the helpers are asked which of these they have.
    """
    changed: dict[tuple[str, str], list[str]] = {}
    in_file = before.plaintext()
    for server in before.auths:
        key = docker_key(server)
        helpers = before.helper_for(key), after.helper_for(key)
        if helpers[0] and helpers[0] != helpers[1] and server not in in_file:
            changed.setdefault(helpers, []).append(server)
    found = []
    for (helper, former), servers in changed.items():
        has, would_have = _servers_of(helper, otherwise=servers), _servers_of(former, otherwise=[])
        lost = [
            server
            for server in servers
            if has.intersection(candidate_keys(server)) - would_have.intersection(candidate_keys(server))
        ]
        if lost:
            found.append(Stranded(lost, helper, former))
    return found


def _servers_of(helper: str, *, otherwise: list[str]) -> set[str]:
    """Return the servers that a helper has; none when it is not installed, and others when it fails."""
    if not helper:
        return set()
    try:
        store = open_store(helper, lambda _: None)
    except CredentialError:
        return set()
    try:
        return set(store.list())
    except CredentialError:
        return set(otherwise)


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

"""How `credhelpers configure --undo` restores files, and which credentials Docker would then not find."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from credhelpers.cli.configure.edits import Request
from credhelpers.cli.shared.helper_programs import open_installed
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import former_helpers
from credhelpers.clients.shared_file import BACKUP, Change, Edit, read_if_exists
from credhelpers.credential import CredentialError
from credhelpers.servers import candidate_keys


@dataclass(frozen=True)
class Stranded:
    """Credentials that a helper has, and that Docker would no longer find.

    Attributes:
        servers: The servers that they are for.
        helper: The helper that has them.
        former: The helper that Docker would ask instead; empty when it would look in its file.
    """

    servers: list[str]
    helper: str
    former: str

    def refusal(self) -> CredentialError:
        """Return the error that refuses to undo, with the way out."""
        force = "credhelpers configure --undo --force"
        if self.former:
            back = f"credhelpers migrate --from {self.helper} --to {self.former}"
            remedy = f"bring them back first: {back}; or {force}"
        else:
            remedy = f"keep {self.helper}; or undo it anyway, and log in again: {force}"
        return CredentialError(f"{self.cause('would no longer ask')}; nothing was undone", remedy)

    def warning(self) -> CredentialError:
        """Return the warning for when it is undone with --force."""
        logins = "; ".join(f"docker login {server}" for server in self.servers)
        return CredentialError(self.cause("no longer asks"), f"log in again: {logins}")

    def cause(self, verb: str) -> str:
        """Return where the credentials are."""
        return f"the credentials of {', '.join(self.servers)} are in {self.helper}, which Docker {verb}"


def undoing_edits(request: Request) -> list[Edit]:
    """Return the edits that undo what `edits` did last; a file without a backup has none.

    Raises:
        CredentialError: A backup cannot be read.
    """
    ours: dict[str, Callable[[bytes, bytes], bool]] = {}
    if request.for_podman:
        ours[podman.store_path(os.environ)] = lambda content, _: podman.is_ours(content)
    if request.for_nomad:
        path = request.system_path
        ours[path] = lambda content, backup: content == nomad.answer_empty(path)(backup)
        ours[request.stanza_path] = lambda content, _: nomad.is_ours(content)
    planned = []
    for path in request.config_paths:
        former = former_helpers(path)
        if former is not None:
            planned.append(Edit(path, docker_config_edit.restore_helpers(path, former)))
    for path, is_ours in ours.items():
        backup = read_if_exists(os.path.realpath(path) + BACKUP)
        if backup is not None:
            planned.append(Edit(path, _restore(path, backup, is_ours)))
    return planned


def stranded(before: DockerConfig, after: DockerConfig) -> list[Stranded]:
    """Return the credentials that Docker finds with one configuration and not with another.

    Docker keeps an entry in ``auths`` for each server with a login, also when a helper has the secret; this
    asks the helpers which of these they have.
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
    """Return the servers that a helper has; none when it is not installed, ``otherwise`` when it fails."""
    if not helper:
        return set()
    try:
        store = open_installed(helper, lambda _: None)
    except CredentialError:
        return set()
    try:
        return set(store.list())
    except CredentialError:
        return set(otherwise)


def _restore(path: str, backup: bytes, is_ours: Callable[[bytes, bytes], bool]) -> Change:
    """Return the change that puts a backup back, unless the file has been edited since."""

    def change(content: bytes | None) -> bytes | None:
        if content is not None and content != backup and not is_ours(content, backup):
            raise CredentialError(
                f"{path} has been edited since", f"compare it with {os.path.realpath(path)}{BACKUP}"
            )
        return backup or None

    return change

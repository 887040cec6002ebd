"""`credhelpers setup --undo`: the former configuration, but for what only the store can answer now.

Where a credential is in the store only, the client keeps asking the store for this one server.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from shlex import quote

from credhelpers.cli.setup import sources
from credhelpers.cli.setup.plan import Request
from credhelpers.cli.setup.record import Record, drop_record, read_record
from credhelpers.cli.shared import ecr_logins, migration, output
from credhelpers.cli.shared.helper_programs import helper_for, open_on_path
from credhelpers.clients import docker_config_edit, nomad, podman
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import FormerHelpers
from credhelpers.clients.shared_file import Change, Edit, read_if_exists
from credhelpers.credential import CredentialError
from credhelpers.paths import SYSTEM_FILE
from credhelpers.stores.auto.external import PREFIX, find_helper


@dataclass
class _Report:
    as_json: bool
    dry_run: bool

    def __post_init__(self) -> None:
        self.undone: list[str] = []
        self.kept: list[str] = []
        self.kept_servers: dict[str, list[str]] = {}
        self.warnings: list[dict[str, str]] = []

    def say(self, text: str) -> None:
        if not self.as_json:
            output.say(text)

    def warn(self, cause: str, remedy: str) -> None:
        self.warnings.append({"cause": cause, "remedy": remedy})
        output.warn(cause, remedy)

    def make(self, edit: Edit) -> None:
        """Make an edit and forget its record."""
        before, after = edit.preview()
        changed = before != after
        if not self.dry_run:
            changed = edit.make()
            drop_record(edit.path)
        (self.undone if changed else self.kept).append(edit.path)
        would = "would be " if self.dry_run else ""
        self.say(f"{edit.path}: {would + 'restored' if changed else 'nothing to do'}")


def undo_all(request: Request, *, force: bool, dry_run: bool) -> None:
    """Restore the former configuration of every client.

    Args:
        request: Which files there are.
        force: Whether to restore it also where a client then finds no credential.
        dry_run: Whether to change nothing.

    Raises:
        CredentialError: A file cannot be read or written.
    """
    report = _Report(request.as_json, dry_run)
    _undo_docker(request.config_path, report, force=force)
    _undo_podman(report, force=force)
    _undo_nomad(request, report, force=force)
    if not (report.undone or report.kept):
        report.say("Nothing to undo: setup has changed nothing here.")
    if request.as_json:
        output.report_json(_content(report))


def _content(report: _Report) -> dict[str, object]:
    return {
        "dry_run": report.dry_run,
        "undone": report.undone,
        "unchanged": report.kept,
        "kept": report.kept_servers,
        "warnings": report.warnings,
    }


def _undo_docker(path: str, report: _Report, *, force: bool) -> None:
    record = read_record(path)
    if record is None:
        return
    docker = DockerConfig.read(path)
    if docker.creds_store not in record.stores:
        report.say(f"{path} was edited since, and stays as it is")
        report.kept.append(path)
        if not report.dry_run:
            drop_record(path)
        return
    former = FormerHelpers(record.existed, "", record.former, None)
    restored = _without_store(path, former, {})
    after = DockerConfig(path, restored(read_if_exists(path)) or b"")
    servers = _asked(docker, docker.creds_store)
    lost = _lost(servers, docker, after, helper_for(after, ""), report)
    keep = {} if force else dict.fromkeys(lost, docker.creds_store)
    report.make(Edit(path, _without_store(path, former, keep)))
    _tell(report, path, lost, docker.creds_store, force=force)


def _undo_podman(report: _Report, *, force: bool) -> None:
    path = podman.store_path(os.environ)
    record, content = read_record(path), read_if_exists(path)
    if record is None:
        return
    store = podman.store_in(content)
    if store:
        auth_path = podman.lasting_auth_path(os.environ)
        auths = DockerConfig.read(auth_path)
        lost = [
            server
            for server in _asked(auths, store)
            if server not in auths.cred_helpers and not auths.plaintext_for(server) and not force
        ]
        if lost:
            change = docker_config_edit.set_helpers(auth_path, None, dict.fromkeys(lost, store))
            if not report.dry_run:
                Edit(auth_path, change).make()
            _tell(report, auth_path, lost, store, force=False)
    report.make(Edit(path, _put_back(record, is_ours=store is not None), 0o644))


def _undo_nomad(request: Request, report: _Report, *, force: bool) -> None:
    directory = request.nomad_directory or nomad.DIRECTORY
    path = os.path.join(directory, nomad.FILE_NAME)
    record, content = read_record(path), read_if_exists(path)
    helper = nomad.helper_in(content)
    if record is not None:
        if helper and not force and _has_credentials(helper):
            report.kept.append(path)
            report.warn(
                f"{path} stays: tasks of Nomad may need the credentials that {PREFIX}{helper} has",
                "undo that, too: --force",
            )
            return
        report.make(Edit(path, _put_back(record, is_ours=helper is not None), 0o644))
    system_path = request.system_path or SYSTEM_FILE
    answer = read_record(system_path)
    if answer is not None:
        report.make(Edit(system_path, nomad.restore_not_found(system_path, answer.former), 0o644))


def _without_store(path: str, former: FormerHelpers, keep: dict[str, str]) -> Change:
    """Return the change that puts the former ``credsStore`` back, and names helpers for single servers."""

    def change(content: bytes | None) -> bytes | None:
        now = FormerHelpers.of(path, content)
        whole = FormerHelpers(former.exists, "{}", former.creds_store, now.cred_helpers)
        restored = docker_config_edit.restore_helpers(path, whole)(content)
        return docker_config_edit.set_helpers(path, None, keep)(restored) if keep else restored

    return change


def _put_back(record: Record, *, is_ours: bool) -> Change:
    """Return the change that puts a former file back; one that was edited stays as it is."""

    def change(content: bytes | None) -> bytes | None:
        if not is_ours:
            return content
        return record.former.encode() if record.existed and record.former is not None else None

    return change


def _asked(auths: DockerConfig, store: str) -> list[str]:
    """Return the servers whose credentials a client may get by its store now."""
    servers = [docker_key(name) for name in auths.auths]
    try:
        servers += sources.listed(store)
    except CredentialError:
        pass  # then those with a login are all that is known
    return [server for server in dict.fromkeys(servers) if server not in auths.cred_helpers]


def _lost(
    servers: Iterable[str], docker: DockerConfig, after: DockerConfig, former: str, report: _Report
) -> list[str]:
    """Return the servers for which Docker would get something else; what can be is copied back first."""
    store = docker.creds_store
    if former == store:
        return []
    found, lost = [], []
    for server in servers:
        try:
            now = sources.answer(store, docker, server)
        except CredentialError:
            lost.append(server)  # it may work again later
            continue
        if now is None or now == _former_answer(former, after, server):
            continue
        if former and find_helper(former, os.environ) and not ecr_logins.gets_tokens(server, store):
            found.append(migration.Found(server, now.username, "password", lambda now=now: now))  # type: ignore[misc]
        else:
            lost.append(server)
    if found and report.dry_run:
        report.say(f"would copy back into {former}: {', '.join(item.server for item in found)}")
    elif found:
        try:
            target = open_on_path(former)
            outcome = migration.put_all(
                found, target, overwrite=True, explain=lambda error: error, advance=lambda: None
            )
            lost += outcome.failed
            if outcome.moved:
                report.say(f"copied back into {former}: {', '.join(outcome.moved)}")
        except CredentialError:
            lost += [item.server for item in found]
    return lost


def _former_answer(former: str, after: DockerConfig, server: str) -> object:
    try:
        return sources.answer(former, after, server)
    except CredentialError:
        return None


def _has_credentials(helper: str) -> bool:
    try:
        return bool(sources.listed(helper))
    except CredentialError:
        return True


def _tell(report: _Report, path: str, lost: list[str], store: str, *, force: bool) -> None:
    """Say where the secrets are that the former configuration does not have."""
    if not lost:
        return
    names, these = ", ".join(lost), "this server" if len(lost) == 1 else "these servers"
    if force:
        logins = "; ".join(f"docker login {quote(server)}" for server in lost)
        report.warn(
            f"the credentials of {names} are in {store}, which is no longer asked", f"log in again: {logins}"
        )
        return
    report.kept_servers[path] = lost
    report.warn(
        f"the credentials of {names} are in {store}, which {path} still names for {these}",
        f"give one up: credhelpers logout {quote(lost[0])}",
    )

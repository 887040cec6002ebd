"""Every credential that Docker would use, from config.json and the lists of the helpers; without network."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from credhelpers.cli.shared import ecr_tokens
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.helper_programs import helper_for, open_on_path
from credhelpers.cli.shared.plan import routed
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, docker_key, hostname_of
from credhelpers.config import Settings, load
from credhelpers.credential import CredentialError, StoreUnavailable
from credhelpers.servers import candidate_keys
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import AUTO, ECR

IN_FILE = "config.json"
"""Stands for a helper where Docker looks into its own file."""

_SECONDS = 20.0  # for all lists together; the user may have to unlock a keyring

_Lists = Mapping[
    str, Mapping[str, str] | None
]  # the usernames by server of each helper; None for one that failed


@dataclass(frozen=True)
class Row:
    """One credential.

    Attributes:
        server: As Docker asks for it, or as the helper lists it.
        helper: The helper that Docker asks, or `IN_FILE`.
        store: The helper that has it: the same, or the one that auto asks.
        username: Empty where none is kept.
        kind: ``password``, ``identity token``, ``registry token``, ``ECR token``, ``unreadable`` or, where
            nothing is kept, empty.
        plaintext: Whether the secret is in config.json.
        identity: What selects the AWS identity of an ECR token.
        expires: When an ECR token expires, in seconds since the epoch; None without a token.
        note: Anything else the user should know.
    """

    server: str
    helper: str
    store: str
    username: str
    kind: str
    plaintext: bool = False
    identity: str = ""
    expires: int | None = None
    note: str = ""


@dataclass
class Problem:
    """A helper that could not be asked, or that reported an error."""

    helper: str
    cause: str
    remedy: str = ""


@dataclass
class Inventory:
    """All credentials, and the helpers that failed."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def take_inventory(config: DockerConfig) -> Inventory:
    """List every credential that Docker would use with a configuration."""
    inventory = Inventory()
    try:
        settings = load(os.environ)
    except CredentialError as error:
        inventory.problems.append(Problem("credhelpers", error.cause, error.remedy))
        settings = Settings({})
    default = helper_for(config, "")
    listed = _lists([*config.cred_helpers.values(), default], inventory.problems)
    rows: list[Row] = []
    for server, helper in config.cred_helpers.items():
        rows += _rows_of_server(server, helper, listed, settings)
    for server, username in (listed.get(default) or {}).items():
        if server not in config.cred_helpers:
            rows.append(_row(server, default, username, settings))
    rows += _rows_in_file(config)
    if listed.get(default) is not None:
        rows += _rows_without_credential(config, default, {row.server for row in rows})
    inventory.rows = sorted(rows, key=lambda row: row.server)
    return inventory


def _lists(helpers: list[str], problems: list[Problem]) -> _Lists:
    """Return the list of each helper, and add a problem for each that failed."""
    tasks: Tasks[tuple[dict[str, str], bytes]] = Tasks(time.monotonic() + _SECONDS)
    listed: dict[str, dict[str, str] | None] = dict.fromkeys(filter(None, helpers))
    for helper in listed:
        tasks.start(helper, partial(_list, helper))
    for helper in listed:
        start = f"{PREFIX}{helper}: "
        try:
            result = tasks.result(helper)
            if result is None:
                raise StoreUnavailable(f"{PREFIX}{helper} did not answer within {_SECONDS:g} s")
        except CredentialError as error:
            problems.append(Problem(helper, error.cause, error.remedy))
            continue
        listed[helper], messages = result
        for line in messages.decode(errors="replace").splitlines():
            if line.startswith(start):  # auto names the helpers that it cannot list
                problems.append(Problem(helper, line.removeprefix(start)))
    return listed


def _list(helper: str) -> tuple[dict[str, str], bytes]:
    messages = bytearray()
    return open_on_path(helper, seconds=_SECONDS - 1.0, on_stderr=messages.extend).list(), bytes(messages)


def _rows_of_server(server: str, helper: str, listed: _Lists, settings: Settings) -> Iterator[Row]:
    """Yield the row of a server that has a helper of its own, unless that helper failed."""
    if helper == ECR.name:
        yield _row(server, helper, "AWS", settings)
        return
    usernames = listed.get(helper)
    if usernames is None:
        return  # also without a helper: then it is in the file, if anywhere
    username = next((usernames[key] for key in candidate_keys(server) if key in usernames), None)
    if username is None:
        yield Row(server, helper, helper, "", "", note="the helper lists nothing for it")
    else:
        yield _row(server, helper, username, settings)


def _row(server: str, helper: str, username: str, settings: Settings) -> Row:
    store = routed(server, os.environ, settings) if helper == AUTO.name else helper
    if store == ECR.name:
        return _ecr_row(server, helper, username, settings)
    kind = "identity token" if username == TOKEN_USERNAME else "password"
    return Row(server, helper, store, username, kind)


def _ecr_row(server: str, helper: str, username: str, settings: Settings) -> Row:
    kept = ecr_tokens.cached(server, os.environ, settings)
    if kept is None:
        return Row(server, helper, ECR.name, "", "", note="not an ECR registry, so it gets no token")
    identity = ecr_tokens.selected_identity(os.environ, kept.chosen)
    note = f"the last request failed: {kept.failure.cause}" if kept.failure else ""
    host = hostname_of(server)
    if kept.token is None:
        note = note or "the next pull gets a token"
        return Row(host, helper, ECR.name, username, "ECR token", identity=identity, note=note)
    if kept.by_login:
        identity = "docker login"
    expires, user = kept.token.expires, kept.token.username
    return Row(host, helper, ECR.name, user, "ECR token", identity=identity, expires=expires, note=note)


def _rows_in_file(config: DockerConfig) -> Iterator[Row]:
    for server, secret in config.plaintext().items():
        helper = helper_for(config, docker_key(server))
        note = f"not used: Docker asks {helper}" if helper else ""
        username = secret.credential.username
        yield Row(server, IN_FILE, IN_FILE, username, secret.kind, plaintext=True, note=note)


def _rows_without_credential(config: DockerConfig, helper: str, known: set[str]) -> Iterator[Row]:
    """Yield a row for each server with a login that the helper for all servers has nothing for."""
    hosts = known | {hostname_of(server) for server in known}
    for server in config.auths:
        if not hosts & {server, hostname_of(server)}:
            note = "config.json has a login, but the helper lists nothing for it"
            yield Row(server, helper, helper, "", "", note=note)

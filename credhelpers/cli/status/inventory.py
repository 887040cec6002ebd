"""Every credential that Docker and podman would use, and those that they pass over; without network."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.helper_programs import helper_for, open_on_path
from credhelpers.cli.shared.plan import auto_target, helpers_behind_auto
from credhelpers.cli.status import podman
from credhelpers.cli.status.choice import IN_ENVIRONMENT, IN_FILE, Choice, Lists, asked_for
from credhelpers.cli.status.rows import Row, row_of
from credhelpers.clients import docker_auth_config
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, hostname_of
from credhelpers.config import Settings, load
from credhelpers.credential import CredentialError, StoreUnavailable
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import AUTO, ECR

_SECONDS = 20.0  # for all lists together; the user may have to unlock a keyring


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
    """List every credential that clients would use, and those that these shadow.

    Args:
        config: Docker's configuration; podman's is where the environment says.
    """
    inventory = Inventory()
    try:
        settings = load(os.environ)
    except CredentialError as error:
        inventory.problems.append(Problem("credhelpers", error.cause, error.remedy))
        settings = Settings({})
    try:
        in_environment = docker_auth_config.credentials(os.environ)
    except CredentialError as error:
        inventory.problems.append(Problem(docker_auth_config.NAME, error.cause, error.remedy))
        in_environment = {}
    default = helper_for(config, "")
    try:
        sources = podman.read_sources(os.environ)
    except CredentialError as error:
        inventory.problems.append(Problem("podman", error.cause, error.remedy))
        sources = podman.Sources([], [])
    dockers = [*config.cred_helpers.values(), default]
    lists = _lists([*dockers, *sources.helpers], inventory.problems)
    listed = {helper: usernames for helper, usernames in lists.items() if helper in dockers}
    choice = Choice(config, listed, in_environment)
    rows = [*_rows_in_environment(choice), *_rows_in_helpers(choice, settings), *_rows_in_file(choice)]
    if AUTO.name in listed:
        rows += _rows_behind_auto(settings)
    if listed.get(default) is not None:
        rows += _rows_without_credential(config, default, {row.server for row in rows})
    rows += podman.rows(sources, lists, settings)
    inventory.rows = sorted(rows, key=lambda row: (row.server, row.client, row.shadowed_by))
    return inventory


def _lists(helpers: list[str], problems: list[Problem]) -> Lists:
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


def _rows_in_environment(choice: Choice) -> Iterator[Row]:
    for server, credential in choice.in_environment.items():
        shadow = choice.shadow_of(server, IN_ENVIRONMENT)
        yield Row(server, IN_ENVIRONMENT, IN_ENVIRONMENT, credential.username, "password", shadowed_by=shadow)


def _rows_in_helpers(choice: Choice, settings: Settings) -> Iterator[Row]:
    """Yield what the helpers list, and the servers of credHelpers for which theirs lists nothing."""
    shown = set()
    for helper, usernames in choice.listed.items():
        for key, username in (usernames or {}).items():
            shown.add((helper, asked_for(key)))
            yield row_of(key, helper, username, settings, choice.shadow_of(key, helper))
    for server, helper in choice.config.cred_helpers.items():
        if (helper, asked_for(server)) in shown:
            continue
        if helper == ECR.name:
            yield row_of(server, helper, "AWS", settings, choice.shadow_of(server, helper))
        elif choice.listed.get(helper) is not None and server not in choice.in_environment:
            yield Row(server, helper, helper, "", "", note="the helper lists nothing for it")


def _rows_behind_auto(settings: Settings) -> Iterator[Row]:
    """Yield what the stores behind auto have and auto does not ask them for."""
    for store, usernames in _lists(helpers_behind_auto(os.environ, settings), []).items():
        for key, username in (usernames or {}).items():
            target = auto_target(key, os.environ, settings)
            if target is None or target.helper == store:
                continue
            by = f"auto.route {target.match}" if target.reason == "route" else f"{PREFIX}{target.helper}"
            kind = "identity token" if username == TOKEN_USERNAME else "password"
            yield Row(key, AUTO.name, store, username, kind, shadowed_by=by)


def _rows_in_file(choice: Choice) -> Iterator[Row]:
    for server, secret in choice.config.plaintext().items():
        username, shadow = secret.credential.username, choice.shadow_of(server, IN_FILE)
        yield Row(server, IN_FILE, IN_FILE, username, secret.kind, plaintext=True, shadowed_by=shadow)


def _rows_without_credential(config: DockerConfig, helper: str, known: set[str]) -> Iterator[Row]:
    """Yield a row for each server with a login that the helper for all servers has nothing for."""
    hosts = known | {hostname_of(server) for server in known}
    for server in config.auths:
        if not hosts & {server, hostname_of(server)}:
            note = "config.json has a login, but the helper lists nothing for it"
            yield Row(server, helper, helper, "", "", note=note)

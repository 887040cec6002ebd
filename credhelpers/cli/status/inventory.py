"""Every credential that Docker would use, and whose it is; asked of the helpers' lists, and of no network."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from credhelpers.cli.shared import ecr_tokens
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.plan import routed
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, docker_key, hostname_of
from credhelpers.config import Settings, load
from credhelpers.credential import CredentialError, StoreUnavailable
from credhelpers.servers import candidate_keys
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper
from credhelpers.suite import AUTO, ECR

IN_FILE = "config.json"
"""Stands for a helper where Docker looks into its own file."""

_SECONDS = 20.0  # for all lists together; somebody may have to unlock a keyring


@dataclass(frozen=True)
class Row:
    """One credential.

    Attributes:
        server: As Docker asks for it, or as the helper lists it.
        helper: Whom Docker asks; `IN_FILE` when nobody.
        store: Who has it: the helper, or the one that auto asks.
        username: Empty where none is kept.
        kind: ``password``, ``identity token``, ``registry token``, ``ECR token``, ``unreadable`` or, where
            nothing is kept, empty.
        plaintext: Whether anybody who can read config.json has it.
        identity: What selects the AWS identity of an ECR token.
        expires: When an ECR token ends, in seconds since the epoch; None where there is none yet.
        note: What else there is to say.
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
    """A helper that could not be asked, or that complained."""

    helper: str
    cause: str
    remedy: str = ""


@dataclass
class Inventory:
    """What there is, and what could not be found out."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def take(config: DockerConfig, environ: Mapping[str, str]) -> Inventory:
    """List every credential that Docker would use with a configuration.

    Args:
        config: Docker's configuration.
        environ: The environment, which Docker is taken to have too.
    """
    inventory = Inventory()
    try:
        values = load(environ)
    except CredentialError as error:
        inventory.problems.append(Problem("credhelpers", error.cause, error.remedy))
        values = Settings({})
    _Taking(config, environ, values, inventory).take()
    return inventory


class _Taking:
    def __init__(
        self, config: DockerConfig, environ: Mapping[str, str], values: Settings, inventory: Inventory
    ) -> None:
        self._config = config
        self._environ = environ
        self._settings = values
        self._inventory = inventory
        self._default = config.helper_for("", environ.get("PATH", ""))
        self._own = config.cred_helpers

    def take(self) -> None:
        listed = self._lists()
        found = [self._own_row(server, helper, listed.get(helper)) for server, helper in self._own.items()]
        rows = [row for row in found if row]
        for server, username in (listed.get(self._default) or {}).items():
            if server not in self._own:
                rows.append(self._row(server, self._default, username))
        rows += self._in_the_file()
        rows += self._logged_in_without({row.server for row in rows}, listed)
        self._inventory.rows = sorted(rows, key=lambda row: row.server)

    def _lists(self) -> dict[str, dict[str, str] | None]:
        """Return the list of each helper; None for one that failed, whose cause is kept."""
        helpers = list(dict.fromkeys(filter(None, [*self._own.values(), self._default])))
        tasks: Tasks[tuple[dict[str, str], bytes]] = Tasks(time.monotonic() + _SECONDS)
        for helper in helpers:
            tasks.start(helper, lambda helper=helper: _list(helper, self._environ))  # type: ignore[misc]
        listed: dict[str, dict[str, str] | None] = {}
        for helper in helpers:
            listed[helper] = None
            try:
                result = tasks.result(helper)
                if result is None:
                    raise StoreUnavailable(f"{PREFIX}{helper} did not answer within {_SECONDS:g} s")
                listed[helper] = result[0]
                self._note_complaints(helper, result[1])
            except CredentialError as error:
                self._inventory.problems.append(Problem(helper, error.cause, error.remedy))
        return listed

    def _note_complaints(self, helper: str, messages: bytes) -> None:
        """Keep what auto says of the helpers that it could not list."""
        start = f"{PREFIX}{helper}: "
        for line in messages.decode(errors="replace").splitlines():
            if line.startswith(start):
                self._inventory.problems.append(Problem(helper, line.removeprefix(start)))

    def _own_row(self, server: str, helper: str, listed: Mapping[str, str] | None) -> Row | None:
        """Return the row of a server that has a helper of its own; None when that helper failed."""
        if not helper:
            return None  # it is in the file, if anywhere
        if helper == ECR.name:
            return self._row(server, helper, "AWS")
        if listed is None:
            return None
        username = next((listed[key] for key in candidate_keys(server) if key in listed), None)
        if username is None:
            return Row(server, helper, helper, "", "", note="the helper lists nothing for it")
        return self._row(server, helper, username)

    def _row(self, server: str, helper: str, username: str) -> Row:
        store = routed(server, self._environ, self._settings) if helper == AUTO.name else helper
        if store == ECR.name:
            return self._ecr_row(server, helper, username)
        kind = "identity token" if username == TOKEN_USERNAME else "password"
        return Row(server, helper, store, username, kind)

    def _ecr_row(self, server: str, helper: str, username: str) -> Row:
        kept = ecr_tokens.cached(server, self._environ, self._settings)
        if kept is None:
            return Row(server, helper, ECR.name, "", "", note="this is no ECR registry, so it gets no token")
        identity = ecr_tokens.selected_identity(self._environ, kept.chosen)
        note = f"the last request failed: {kept.failure.cause}" if kept.failure else ""
        host = hostname_of(server)
        if kept.token is None:
            note = note or "the next pull gets a token"
            return Row(host, helper, ECR.name, username, "ECR token", identity=identity, note=note)
        if kept.by_login:
            identity = "docker login"
        expires, user = kept.token.expires, kept.token.username
        return Row(host, helper, ECR.name, user, "ECR token", identity=identity, expires=expires, note=note)

    def _in_the_file(self) -> list[Row]:
        rows = []
        for server, secret in self._config.plaintext().items():
            helper = self._config.helper_for(docker_key(server), self._environ.get("PATH", ""))
            note = f"not used: Docker asks {helper}" if helper else ""
            username = secret.credential.username
            rows.append(Row(server, IN_FILE, IN_FILE, username, secret.kind, plaintext=True, note=note))
        return rows

    def _logged_in_without(
        self, known: set[str], listed: Mapping[str, Mapping[str, str] | None]
    ) -> list[Row]:
        """Return the servers that somebody logged in to, and that their helper has nothing for."""
        if not self._default or listed.get(self._default) is None:
            return []
        note = "somebody logged in, but the helper lists nothing for it"
        hosts = known | {hostname_of(server) for server in known}
        return [
            Row(server, self._default, self._default, "", "", note=note)
            for server in self._config.auths
            if not hosts & {server, hostname_of(server)}
        ]


def _list(helper: str, environ: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    path = find_helper(helper, environ)
    if path is None:
        raise StoreUnavailable(f"{PREFIX}{helper} is not on PATH", "install it, or name another helper")
    messages = bytearray()
    store = ExternalStore(path, environ, _SECONDS - 1.0, messages.extend)
    return store.list(), bytes(messages)

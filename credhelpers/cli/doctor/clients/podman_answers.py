"""Which credential podman gets for each registry in use, asked for as podman asks."""

import time
from collections.abc import Iterator
from functools import partial
from shlex import quote

from credhelpers import process
from credhelpers.cli.doctor.answer import see_why
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.clients.containers_auth import PROGRAMS, server_name, username_in
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.clients.registries_conf import AUTH_FILES, RegistriesConf
from credhelpers.credential import CredentialError, CredentialsNotFound
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper
from credhelpers.stores.ecr.hosts import registry_for

CHECK, _MIRROR = "podman answer", "registries.conf"
_MOST = 16
"""How many registries are asked for at once."""


def check(
    config: RegistriesConf, files: list[DockerConfig], machine: Machine, servers: list[str], seconds: float
) -> Iterator[Finding]:
    """Ask for the credential of each registry, and of the hosts that registries.conf puts in its place.

    Args:
        config: What registries.conf and its drop-ins say.
        files: The auth files that exist.
        machine: The environment, and the settings of the helpers.
        servers: The registries in use.
        seconds: How long all answers may take.
    """
    chain = _Chain(config, files, machine, seconds)
    hosts = {server: _hosts(config, server) for server in servers[:_MOST]}
    tasks: Tasks[Finding] = Tasks(time.monotonic() + seconds)
    for server in dict.fromkeys([*hosts, *(host for others in hosts.values() for host in others)]):
        tasks.start(server, partial(chain.finding, server))
    for server, others in hosts.items():
        late = f"the helpers that podman asks for {server} did not answer in time"
        yield tasks.result(server) or fail(CHECK, "late", late, "run this again")
        for host in others:
            answer = tasks.result(host)
            if answer and answer.state != "ok":
                text = f"podman pulls {server} from {host} by registries.conf, and has no credential for that"
                yield warn(_MIRROR, "mirror-credential", text, _log_in(machine, host))


def _hosts(config: RegistriesConf, server: str) -> list[str]:
    """Return the other hosts that a registry is pulled from."""
    table = config.registry_for(server)
    ends = [*table.mirrors, table.location] if table else []
    return [host for host in dict.fromkeys(map(server_name, filter(None, ends))) if host != server]


class _Chain:
    """The sources of credentials in podman's order: the first one that has one ends the search."""

    def __init__(
        self, config: RegistriesConf, files: list[DockerConfig], machine: Machine, seconds: float
    ) -> None:
        self._config = config
        self._files = files
        self._machine = machine
        self._seconds = seconds

    def finding(self, server: str) -> Finding:
        """Return what podman gets for a registry."""
        errors: list[Finding] = []
        for name in self._config.asked:
            try:
                text = self._in_files(server) if name == AUTH_FILES else self._of_helper(name, server)
            except CredentialError as error:
                errors.append(fail(CHECK, "error", error.cause, error.remedy))
                continue
            if text:
                return ok(CHECK, text)
        if errors:
            return errors[0]
        text = f"podman has no credential for {server}; it continues without one"
        helper = self._helper_of(server)
        if helper and registry_for(server, self._machine.settings)[0] is not None:
            return warn(CHECK, "none", text, see_why(PREFIX + helper, server))
        return warn(CHECK, "none", text, _log_in(self._machine, server))

    def _helper_of(self, server: str) -> str:
        """Return the first helper that is asked for a registry; empty for none."""
        own = [file.cred_helpers[server] for file in self._files if server in file.cred_helpers]
        return next((name for name in (*own, *self._config.asked) if name != AUTH_FILES), "")

    def _in_files(self, server: str) -> str:
        for file in self._files:
            if server in file.cred_helpers:
                if text := self._of_helper(file.cred_helpers[server], server):
                    return text
                continue
            username = username_in(file, server)
            if username is not None:
                return f"{file.path} has a credential for {server}: that of {username}"
        return ""

    def _of_helper(self, name: str, server: str) -> str:
        path = find_helper(name, self._machine.environ)
        if path is None:
            raise CredentialError(
                f"podman cannot start {PREFIX}{name}: it is not on PATH",
                "see the finding about its helpers",
            )
        try:
            store = ExternalStore(path, self._machine.environ, self._seconds, lambda _: None)
            username = store.get(server).username
        except CredentialsNotFound:
            return ""
        except CredentialError as error:
            raise CredentialError(error.cause, see_why(PREFIX + name, server)) from None
        return f"{PREFIX}{name} gives a credential for {server}: that of {username}"


def _log_in(machine: Machine, server: str) -> str:
    """Return the command that gives podman a credential for a registry."""
    if registry_for(server, machine.settings)[0] is not None:
        return f"credhelpers configure --podman --ecr {quote(server)}"
    program = process.find(PROGRAMS, machine.environ) or "podman"
    return f"{program.rpartition('/')[2]} login {quote(server)}"

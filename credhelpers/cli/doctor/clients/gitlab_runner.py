"""GitLab Runner: the helpers that its docker executor asks, whose errors it does not report.

It reads DOCKER_AUTH_CONFIG of the job or of config.toml, then config.json in its user's home, then the
credentials of the job itself. It asks a credsStore for a list, and each of credHelpers for its key. If one of
them fails, it drops all that this source has, and goes on. (gitlab-runner helpers/docker/auth/auth.go)
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from shlex import quote
from typing import Any

from credhelpers.cli.doctor.answer import see_why
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.service import (
    HELPER_NAME,
    Service,
    at_once,
    check_helper,
    check_unit,
    find_service,
)
from credhelpers.cli.shared.helper_programs import cause_and_remedy
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.credential import NOT_FOUND, CredentialError
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.stores.auto.external import PREFIX

_UNIT = "gitlab-runner.service"
_PATH = "/etc/gitlab-runner/config.toml"
_CONFIG, _CREDENTIALS = "gitlab-runner config", "gitlab-runner credentials"
_HELPER, _ANSWER = "gitlab-runner helper", "gitlab-runner answer"
_VARIABLE = "DOCKER_AUTH_CONFIG"
_ALLOWED = "allowed_docker_credential_helpers"
_SILENT = "so jobs silently go on with their own credentials"
_AGAIN = "as root: credhelpers doctor --client gitlab-runner"


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about GitLab Runner and its unit; nothing where it is not set up."""
    service = find_service(machine, _UNIT)
    path = _path(service)
    here = service.unit.below_root(path)
    if not os.path.lexists(here):
        return
    try:
        with open(here, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        yield "GitLab Runner", [warn(_CONFIG, "unreadable", f"cannot read {path}: {error.strerror}", _AGAIN)]
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        yield "GitLab Runner", [fail(_CONFIG, "invalid", f"{path} is not valid TOML", "correct the file")]
        return
    yield "GitLab Runner", list(_Runner(path, content, service).findings())
    if service.known:
        yield _UNIT, check_unit(service, machine)


def _path(service: Service) -> str:
    """Return the file that the unit's command line names, or the usual one."""
    words = service.unit.command.replace('"', " ").replace("=", " ").split()
    return next((path for name, path in pairwise(words) if name in ("--config", "-c")), _PATH)


class _Runner:
    def __init__(self, path: str, content: Mapping[str, Any], service: Service) -> None:
        self._path = path
        self._service = service
        runners = content.get("runners")
        self._runners = [one for one in runners if isinstance(one, dict)] if isinstance(runners, list) else []
        tables = [content, *self._runners, *(one.get("docker", {}) for one in self._runners)]
        lists = [table[_ALLOWED] for table in tables if isinstance(table, dict) and _ALLOWED in table]
        self._allowed = (
            None if not lists else [name for one in lists for name in one if isinstance(name, str)]
        )

    def findings(self) -> Iterator[Finding]:
        """Yield what is found about each source, and about each helper once."""
        yield ok(_CONFIG, f"{self._path} can be read: {len(self._runners)} runners")
        sources: list[tuple[str, DockerConfig]] = []
        for text in dict.fromkeys(self._variables()):
            try:
                sources.append((f"{_VARIABLE} in {self._path}", DockerConfig(_VARIABLE, text.encode())))
            except CredentialError:
                told = f"{_VARIABLE} in {self._path} is not valid for Docker, {_SILENT}"
                yield fail(_CREDENTIALS, "invalid", told, "correct the file")
        named = {name for _, config in sources for name in _helpers(config)}
        yield from (self._not_allowed(name) for name in sorted(named) if self._is_forbidden(name))
        sources += self._in_home()
        seen = dict.fromkeys(
            [*(self._allowed or []), *(name for _, one in sources for name in _helpers(one))]
        )
        found = {
            name: check_helper(self._service, _HELPER, name, _SILENT, "name another one")
            for name in seen
            if name.strip("*")
        }
        yield from found.values()
        working = {name for name, finding in found.items() if finding.state == "ok"}
        if self._service.can_be_asked:
            for where, config in sources:
                yield from self._check_answers(where, config, working)

    def _variables(self) -> Iterator[str]:
        for runner in self._runners:
            environment = runner.get("environment")
            for line in environment if isinstance(environment, list) else []:
                name, _, value = str(line).partition("=")
                if name == _VARIABLE:
                    yield value

    def _in_home(self) -> list[tuple[str, DockerConfig]]:
        path = os.path.join(self._service.unit.home or "/", ".docker/config.json")
        try:
            return [(path, DockerConfig.read(self._service.unit.below_root(path)))]
        except CredentialError:
            return []  # reported with Docker's CLI, whose file it is

    def _is_forbidden(self, name: str) -> bool:
        is_listed = self._allowed is None or name in self._allowed or "*" in self._allowed
        return not is_listed and HELPER_NAME.fullmatch(name) is not None

    def _not_allowed(self, name: str) -> Finding:
        text = f"{name} in {_VARIABLE} is not in {_ALLOWED} of {self._path}, {_SILENT}"
        command = f"sed -i 's/^\\( *{_ALLOWED} *= *\\[\\)/\\1\"{name}\", /' {quote(self._path)}"
        return fail(_HELPER, "not-allowed", text, f"as root: {command}")

    def _check_answers(self, where: str, config: DockerConfig, working: set[str]) -> list[Finding]:
        asked = [(name, "get", key) for key, name in config.cred_helpers.items()]
        asked += [(config.creds_store, "list", "unused")]
        return at_once(lambda one: [self._ask(where, *one)], [one for one in asked if one[0] in working])

    def _ask(self, where: str, name: str, verb: str, server: str) -> Finding:
        program = PREFIX + name
        outcome = self._service.run([self._service.helper(name) or "", verb], server.encode())
        if outcome.exit_status == 0 or NOT_FOUND.encode() in outcome.output:
            told = f"for {server}" if verb == "get" else "with a list"
            return ok(_ANSWER, f"{program} answers GitLab Runner {told}")
        cause, remedy = cause_and_remedy(outcome.errors, program)
        text = f"{program} {verb} fails for GitLab Runner, which then drops all of {where}"
        text += f": {cause}" if cause else ""
        return fail(_ANSWER, "error", text, remedy or see_why(program, server))


def _helpers(config: DockerConfig) -> list[str]:
    return [name for name in dict.fromkeys([*config.cred_helpers.values(), config.creds_store]) if name]

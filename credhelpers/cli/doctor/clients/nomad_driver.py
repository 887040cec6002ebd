"""One driver of Nomad: its file, its helpers, and their answers, in the order in which the driver asks.

The docker driver goes by the file's auths, credHelpers and credsStore, and then by the helper; it writes the
host to a helper, and any exit status but 0 fails the task. The podman driver knows only auths in the file. It
starts the helper without a verb, writes the repository to it, and reads stdout and stderr as one JSON object.
(nomad drivers/docker/utils.go; nomad-driver-podman registry/credshelper.go, fileconfig.go)
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from shlex import quote

from credhelpers.cli.doctor.answer import see_why
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.nomad_file import check_file
from credhelpers.cli.doctor.clients.service import Service, at_once, check_helper, drop_in
from credhelpers.cli.doctor.executable import OURS, identify
from credhelpers.cli.shared.helper_programs import cause_and_remedy
from credhelpers.clients.docker_config import docker_key, hostname_of
from credhelpers.clients.nomad_agent import DOCKER, Auth
from credhelpers.credential import NOT_FOUND
from credhelpers.finding import FAIL, Finding, fail, ok, warn
from credhelpers.paths import SYSTEM_FILE
from credhelpers.process import Outcome
from credhelpers.servers import HUB_HOSTS, HUB_KEY
from credhelpers.stores.auto.external import PREFIX

_HELPER, _PUBLIC, _ANSWER = "nomad helper", "nomad public images", "nomad answer"
_ENVIRONMENT = "unit environment"
_PUBLIC_REPOSITORY = "docker.io/library/hello-world"
_PASSED_ON = ("AWS_", "DOCKER_CONFIG", "PASSWORD_STORE_", "GNUPGHOME", "CREDHELPERS_")
_SECRET = ("AWS_SECRET", "AWS_SESSION", "AWS_ACCESS")
_PLAIN = re.compile(r"[\w./:@,+=-]+")
"""A value that needs no quotes in a unit, nor in a shell."""

_LONGEST = 300  # characters of a helper's message


class Driver:
    """A driver that has an auth block.

    Args:
        auth: What it is told.
        service: Nomad.
        machine: Where it runs.
    """

    def __init__(self, auth: Auth, service: Service, machine: Machine) -> None:
        self._auth = auth
        self._service = service
        self._machine = machine
        self._is_docker = auth.driver == DOCKER
        self._config, self._found = check_file(auth, service) if auth.config else (None, [])

    @property
    def helpers(self) -> list[str]:
        """The helpers that it may ask."""
        names = [self._auth.helper]
        if self._config and self._is_docker:
            names = [*self._config.cred_helpers.values(), self._config.creds_store, *names]
        return list(dict.fromkeys(filter(None, names)))

    def findings(self) -> Iterator[Finding]:
        """Yield what is found, in the order in which it asks."""
        yield from self._found
        broken = []
        for name in self.helpers:
            found = self._check_helper(name)
            yield found
            broken += [name] if found.state == FAIL else []
        if any(finding.state == FAIL for finding in self._found):
            return
        if not self._service.can_be_asked:
            user = self._service.unit.last("User") or "root"
            text = f"only root can ask the helpers as {user}, as Nomad does"
            yield warn(_PUBLIC, "not-asked", text, "as root: credhelpers doctor --client nomad")
            return
        if self._machine.server is None or hostname_of(self._machine.server) in HUB_HOSTS:
            yield from self._check_public(broken)
        yield from at_once(lambda server: list(self._check_server(server, broken)), self._servers())

    def _check_helper(self, name: str) -> Finding:
        where = f"correct helper in {self._auth.path}"
        found = check_helper(self._service, _HELPER, name, "so every task fails", where)
        path = self._service.helper(name)
        if found.state == FAIL or path is None:
            return found
        if self._is_docker or not self._service.can_be_asked:
            return ok(_HELPER, f"Nomad starts {path}")
        outcome = self._run([path], _PUBLIC_REPOSITORY)
        with_verb = self._run([path, "get"], _PUBLIC_REPOSITORY)
        answers = NOT_FOUND.encode() in with_verb.output or _fields(with_verb) is not None
        if outcome.exit_status and answers:
            text = f"the podman driver starts {path} without the verb get, so that no helper can answer it"
            return fail(_HELPER, "no-verb", text, _wrapper(name, self._auth.path))
        return ok(_HELPER, f"Nomad starts {path}")

    def _run(self, command: list[str], server: str, more: Mapping[str, str] | None = None) -> Outcome:
        """Run a helper; one that cannot be started has the exit status of a shell, and its message."""
        try:
            done = self._service.run(command, server.encode(), more)
        except OSError as error:
            return Outcome(127, b"", f"cannot start {command[0]}: {error.strerror}".encode(), b"")
        output = done.output if self._is_docker else done.output + done.errors
        return Outcome(done.exit_status, output, done.errors, done.status)

    def _servers(self) -> list[str]:
        """Return the registries to ask for: the one that was named, or those with a helper of their own."""
        if self._machine.server:
            key = docker_key(self._machine.server)
            return [] if key == HUB_KEY else [key]
        return [key for key in (self._config.cred_helpers if self._config else {}) if key != HUB_KEY]

    def _asked(self, server: str) -> list[str]:
        """Return the helpers that are asked for a server until one has a credential."""
        names = [self._auth.helper]
        if self._config and self._is_docker:
            key = docker_key(server)
            names = [self._config.cred_helpers.get(key, ""), self._config.creds_store, *names]
        return [name for name in dict.fromkeys(names) if name]

    def _ask(self, name: str, server: str, more: Mapping[str, str] | None = None) -> Outcome:
        """Ask a helper as the driver does."""
        path = self._service.helper(name) or ""
        if self._is_docker:
            return self._run([path, "get"], server, more)
        return self._run([path], _PUBLIC_REPOSITORY if server in HUB_HOSTS else f"{server}/image", more)

    def _check_public(self, broken: list[str]) -> Iterator[Finding]:
        server = "docker.io"
        for name in self._asked(server):
            if name in broken:
                return
            outcome = self._ask(name, server)
            fields = _fields(outcome)
            if fields and any(fields.values()):
                yield ok(
                    _PUBLIC, f"{PREFIX}{name} has a credential for {server}: that of {fields['Username']}"
                )
                return
            if fields is None:
                yield self._refused(name, outcome)
                return
        if self.helpers:
            yield ok(_PUBLIC, "Nomad pulls them without credentials")

    def _refused(self, name: str, outcome: Outcome) -> Finding:
        program = PREFIX + name
        if outcome.exit_status is None:
            cause, _ = cause_and_remedy(outcome.errors, program)
            text = f"{program} fails every task with a public image: {cause}"
            return fail(_PUBLIC, "late", text, "see why: credhelpers logs")
        if NOT_FOUND.encode() not in outcome.output:
            return self._failing(name, "docker.io", outcome)
        text = f"{program} answers not found for docker.io, and that fails every task with a public image"
        if identify(self._service.helper(name) or "", self._service.unit.environ).owner == OURS:
            return fail(_PUBLIC, "refused", text, self._answer_empty())
        remedy = "as root: credhelpers configure --nomad; or set auth_soft_fail in each of those tasks"
        return fail(_PUBLIC, "refused-by-other", text, remedy)

    def _answer_empty(self) -> str:
        """Return the command that makes our helpers answer empty."""
        path = self._service.unit.environ.get("CREDHELPERS_CONFIG") or SYSTEM_FILE
        here = self._service.unit.below_root(path)
        line = 'not_found = "empty"'
        if os.path.isfile(here) and os.path.getsize(here):
            return f"as root: sed -i -e '1i {line}' -e '/^not_found *=/d' {quote(path)}"
        return f"as root: mkdir -p {quote(os.path.dirname(path))} && echo '{line}' > {quote(path)}"

    def _check_server(self, server: str, broken: list[str]) -> Iterator[Finding]:
        if self._config and self._config.plaintext_for(server):
            yield ok(_ANSWER, f"{self._auth.config} has a credential for {server}")
            return
        answered = []
        for name in self._asked(server):
            if name in broken:
                return
            outcome = self._ask(name, server)
            fields = _fields(outcome)
            if fields and any(fields.values()):
                yield ok(_ANSWER, f"{PREFIX}{name} gives Nomad a credential for {server}")
                return
            if fields is None:
                is_late = outcome.exit_status is None
                lacking = None if is_late else self._lacking(name, server)
                yield lacking or self._failing(name, server, outcome)
                return
            answered.append(name)
        for name in answered:
            if found := self._lacking(name, server):
                yield found
                return
        text = f"Nomad gets no credential for {server}, and pulls without one"
        yield warn(_ANSWER, "none", text, "store one as root, with the helper that Nomad asks")

    def _lacking(self, name: str, server: str) -> Finding | None:
        """Return what the service's environment lacks, when the helper answers with it."""
        unit, shell = self._service.unit, self._machine.environ
        wanted = {
            key: value
            for key, value in shell.items()
            if key.startswith(_PASSED_ON) and key not in unit.environ
        }
        candidates = [("HOME", {"HOME": unit.home})] if "HOME" not in unit.environ and unit.home else []
        for what, more in [*candidates, *([(", ".join(wanted), wanted)] if wanted else [])]:
            if not any((_fields(self._ask(name, server, more)) or {}).values()):
                continue
            text = f"{PREFIX}{name} has no credential for {unit.name}, whose environment lacks {what}"
            if what == "HOME":
                remedy = drop_in(unit.name, f"Environment=HOME={unit.home}")
                return fail(_ENVIRONMENT, "no-home", text, remedy)
            if any(key.startswith(_SECRET) or not _PLAIN.fullmatch(value) for key, value in wanted.items()):
                remedy = f"put {what} into an EnvironmentFile of {unit.name}, or use a role of the machine"
                return fail(_ENVIRONMENT, "no-keys", text, remedy)
            lines = " ".join(f"{key}={value}" for key, value in wanted.items())
            return fail(_ENVIRONMENT, "missing", text, drop_in(unit.name, f"Environment={lines}"))
        return None

    def _failing(self, name: str, server: str, outcome: Outcome) -> Finding:
        cause, remedy = cause_and_remedy(outcome.errors, PREFIX + name)
        text = f"{PREFIX}{name} fails for Nomad, and so does every task with an image of {server}"
        return fail(
            _ANSWER,
            "error",
            f"{text}: {cause or _message(outcome)}",
            remedy or see_why(PREFIX + name, server),
        )


def _fields(outcome: Outcome) -> dict[str, str] | None:
    """Return the username and the secret of an answer; None when it is not one that Nomad can read."""
    if outcome.exit_status != 0:
        return None
    try:
        answer = json.loads(outcome.output)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or not all(isinstance(value, str) for value in answer.values()):
        return None
    return {key: answer.get(key, "") for key in ("Username", "Secret")}


def _message(outcome: Outcome) -> str:
    """Return the first line on stderr, which is what Nomad shows."""
    lines = outcome.errors.decode(errors="replace").strip().splitlines()
    return lines[0][:_LONGEST] if lines else f"exit status {outcome.exit_status}, without a message"


def _wrapper(name: str, path: str) -> str:
    """Return the command that puts a helper before the driver that adds the verb, and names it."""
    program = f"/usr/local/bin/{PREFIX}{name}-get"
    return (
        f"as root: printf '#!/bin/sh\\nexec {PREFIX}{name} get 2>/dev/null\\n' > {program}"
        f" && chmod 755 {program}"
        f' && sed -i \'s/\\(helper"\\{{0,1\\}} *[=:] *\\)"{name}"/\\1"{name}-get"/\' {quote(path)}'
        "; then restart it: systemctl restart nomad"
    )

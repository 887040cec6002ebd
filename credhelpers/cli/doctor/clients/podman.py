"""podman, skopeo and buildah: their auth files, registries.conf, and what their helpers answer."""

import os
import stat
import time
from collections.abc import Iterator
from shlex import quote

from credhelpers import permissions, process
from credhelpers.cli.doctor.clients import podman_answers, podman_helpers, registries
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.clients import containers_auth, registries_conf, sed_command
from credhelpers.clients.containers_auth import PROGRAMS, is_dockers, server_name
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.clients.registries_conf import AUTH_FILES
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, failed, ok, warn

_FILE = "podman auth.json"
_RESERVE = 0.5  # seconds, for what follows the last answer


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about these clients; nothing where none of them is on PATH."""
    program = process.find(PROGRAMS, machine.environ)
    if program:
        yield ", ".join(PROGRAMS), list(_findings(machine, os.path.basename(program)))


def _findings(machine: Machine, program: str) -> Iterator[Finding]:
    try:
        paths = containers_auth.auth_paths(machine.environ, machine.root)
    except CredentialError as error:
        yield failed(_FILE, error)
        return
    yield from _places(machine, paths)
    files = []
    for path in paths:
        try:
            file = _load(path)
        except CredentialError as error:
            if not is_dockers(path):  # Docker's own section reports its file
                text, is_closed = (
                    f"{error.cause}; podman then refuses every pull",
                    error.fault == "unreadable",
                )
                remedy = error.remedy if is_closed else permissions.to_move_away(path)
                yield fail(_FILE, "closed" if is_closed else "unreadable", text, remedy)
        else:
            files += [file] if file.exists else []
    try:
        config = registries_conf.read(machine.environ, machine.root)
    except CredentialError as error:
        yield failed(registries.CHECK, error)
        return
    to_store = "" if config.asked != [AUTH_FILES] else f"{_configure(files)} && "
    for file in files:
        yield from [] if is_dockers(file.path) else _check(file, program, to_store)
    servers = _servers(machine, files)
    yield from registries.check(config, machine, servers)
    helpers = podman_helpers.check(config, files, machine.environ)
    yield from helpers
    seconds = machine.deadline - time.monotonic() - _RESERVE
    answers = podman_answers.check(config, files, machine, servers, seconds)
    is_explained = any(finding.id.endswith(".docker-only") for finding in helpers)
    yield from (answer for answer in answers if not (is_explained and answer.id.endswith(".none")))


def _configure(files: list[DockerConfig]) -> str:
    """Return the command that gives podman the store that Docker has."""
    names = [file.creds_store for file in files if file.creds_store]
    return f"credhelpers configure --podman --store {quote(names[0] if names else 'pass')}"


def _servers(machine: Machine, files: list[DockerConfig]) -> list[str]:
    """Return the registries in use, by the names under which a helper is asked."""
    if machine.server:
        return [server_name(machine.server)]
    keys = [key for file in files if not is_dockers(file.path) for key in (*file.cred_helpers, *file.auths)]
    return list(dict.fromkeys(map(server_name, keys)))


def _places(machine: Machine, paths: list[str]) -> Iterator[Finding]:
    """Check that the places exist that the environment names."""
    named = machine.environ.get("REGISTRY_AUTH_FILE")
    if named and not os.path.exists(paths[0]):
        text = f"REGISTRY_AUTH_FILE is {named}, which does not exist, so podman refuses to start a pull"
        yield fail(_FILE, "missing", text, "unset REGISTRY_AUTH_FILE")
    if gone := containers_auth.runtime_directory(machine.environ):
        text = f"XDG_RUNTIME_DIR is {gone}, which does not exist, so podman login fails"
        yield warn(_FILE, "no-runtime-directory", text, "unset XDG_RUNTIME_DIR")


def _load(path: str) -> DockerConfig:
    """Read an auth file; unlike Docker, podman does not accept an empty one.

    Raises:
        CredentialError: podman cannot read it.
    """
    file = DockerConfig.read(path)
    if file.exists and not os.path.getsize(path) and not is_dockers(path):
        raise CredentialError(f"{path} is empty, which is not valid JSON")
    return file


def _check(file: DockerConfig, program: str, to_store: str) -> list[Finding]:
    """Check one auth file.

    Args:
        file: The file.
        program: One of these clients that is installed.
        to_store: The command that names a store, with ``&&``; empty where there is one already.
    """
    found = [*_secrets(file, program, to_store), *_keys(file)]
    if file.creds_store:
        text = f"{file.path} has credsStore, which podman does not know: it never asks {file.creds_store}"
        remedy = f"credhelpers configure --podman --store {quote(file.creds_store)}"
        if to_store:
            found.append(warn(_FILE, "creds-store", text, remedy))
    return found or [ok(_FILE, f"{file.path} can be read")]


def _secrets(file: DockerConfig, program: str, to_store: str) -> Iterator[Finding]:
    secrets = file.plaintext()
    if not secrets:
        return
    option = f"--authfile {quote(file.path)}"
    mode = stat.S_IMODE(os.stat(file.path).st_mode)
    if mode & 0o077:
        text = f"other users can read the secrets in {file.path} (mode {mode:04o})"
        remedy = permissions.for_owner(f"chmod 600 {quote(file.path)}", file.path)
        yield fail(_FILE, "readable-by-others", text, remedy)
    broken = [key for key, secret in secrets.items() if secret.kind == "unreadable"]
    if broken:
        text = f"the auth of {', '.join(broken)} in {file.path} is not base64 of username:password"
        yield fail(_FILE, "bad-auth", text, f"{program} logout {option} {quote(broken[0])}")
        return
    key = quote(next(iter(secrets)))
    remedy = f"{program} logout {option} {key} && {to_store}{program} login {option} {key}"
    yield warn(_FILE, "plaintext", f"{file.path} holds secrets in plain text: {', '.join(secrets)}", remedy)


def _keys(file: DockerConfig) -> Iterator[Finding]:
    """Find entries of ``credHelpers`` that podman never uses: it looks for the host alone."""
    for key, helper in file.cred_helpers.items():
        name = server_name(key)
        if name != key:
            text = (
                f"credHelpers of {file.path} has {key}, but podman looks for {name}: it never asks {helper}"
            )
            yield warn(_FILE, "never-asked", text, sed_command.replace(file.path, f'"{key}"', f'"{name}"'))

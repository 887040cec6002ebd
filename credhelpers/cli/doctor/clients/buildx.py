"""buildx: builders whose mirrors have no credential, and files that keep builders from being found or made.

A builder has no credentials of its own: Docker's CLI is asked for each host that it pulls from, a mirror too.
(docker/buildx store, util/confutil; moby/buildkit util/resolver, docs/buildkitd.toml.md)
"""

import base64
import json
import os
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from shlex import quote

from credhelpers import permissions
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.connection import Trust
from credhelpers.cli.shared.registry import api_host, connect
from credhelpers.clients.docker_config import DockerConfig, docker_config_path, docker_key, hostname_of
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.stores.auto.external import ExternalStore, find_helper

CHECK = "buildx"

_DEFAULT = "buildkitd.default.toml"
_TOML = "buildkitd.toml"
_RESERVE = 0.5  # seconds


@dataclass(frozen=True)
class _Mirror:
    """A mirror of a builder: what its configuration calls it, and whether it needs no trusted certificate."""

    builder: str
    name: str
    insecure: bool


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about builders; nothing where there are none."""
    try:
        default = os.path.join(os.path.dirname(docker_config_path(machine.environ)), "buildx")
    except CredentialError:
        return
    directory = machine.environ.get("BUILDX_CONFIG") or default
    if os.path.isdir(directory) or os.path.isdir(default):
        found = [*_directory(directory, default), *_default_file(directory), *_builders(directory, machine)]
        if found:
            yield CHECK, found


def _directory(directory: str, default: str) -> Iterator[Finding]:
    if directory != default and not _names(directory) and _names(default):
        text = f"BUILDX_CONFIG is {directory}, without a builder; {', '.join(_names(default))}: in {default}"
        yield warn(CHECK, "elsewhere", text, "unset BUILDX_CONFIG")


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(os.path.join(directory, "instances")))
    except OSError:
        return []


def _default_file(directory: str) -> Iterator[Finding]:
    """Check the configuration that every new builder gets."""
    path = os.path.join(directory, _DEFAULT)
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        text = f"{path} cannot be used ({error}), so no builder can be created"
        yield fail(CHECK, "invalid", text, permissions.to_move_away(path))
        return
    for host, table in _registries(content):
        certificates = table.get("ca")
        for ca in certificates if isinstance(certificates, list) else []:
            if isinstance(ca, str) and not os.path.exists(ca):
                text = f"{path} names {ca} for {host}, which does not exist, so no builder can be created"
                yield fail(CHECK, "no-authority", text, f"put it there, or take it out of {path}")


def _registries(content: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    tables = content.get("registry")
    for host, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict):
            yield host, table


def _builders(directory: str, machine: Machine) -> Iterator[Finding]:
    mirrors: dict[str, _Mirror] = {}
    names = _names(directory)
    faults = 0
    for name in names:
        path = os.path.join(directory, "instances", name)
        try:
            found = list(_mirrors(name, path))
        except (OSError, ValueError) as error:
            text = f"{path} cannot be read ({error}), so docker buildx finds no builder"
            aside = os.path.join(directory, f"{name}.aside")  # what stays in the folder is read
            yield fail(CHECK, "unreadable", text, f"mv {quote(path)} {quote(aside)}")
            faults += 1
            continue
        for mirror in found:
            if "://" in mirror.name:
                text = f"the mirror {mirror.name} of {name} has a scheme, and BuildKit takes a host only"
                remedy = f"docker buildx rm {quote(name)} && docker buildx create --name {quote(name)}"
                yield warn(CHECK, "mirror-scheme", text, f"{remedy} --buildkitd-config FILE")
                faults += 1
            else:
                mirrors.setdefault(hostname_of(mirror.name), mirror)
    without = [] if machine.offline else list(_without_credential(mirrors, machine))
    yield from without
    if names and not faults and not without:
        yield ok(CHECK, f"{', '.join(names)}: credentials come from Docker's CLI")


def _mirrors(name: str, path: str) -> Iterator[_Mirror]:
    """Yield the mirrors in the configuration that a builder was made with.

    Raises:
        ValueError: The file is not what buildx writes.
    """
    with open(path, "rb") as file:
        content = json.load(file)
    nodes = content.get("Nodes") if isinstance(content, dict) else None
    for node in nodes if isinstance(nodes, list) else []:
        files = node.get("Files") if isinstance(node, dict) else None
        text = files.get(_TOML) if isinstance(files, dict) else None
        if not isinstance(text, str):
            continue
        tables = dict(_registries(tomllib.loads(base64.b64decode(text).decode())))
        for table in tables.values():
            mirrors = table.get("mirrors")
            for mirror in mirrors if isinstance(mirrors, list) else []:
                own = tables.get(hostname_of(str(mirror)), {})
                yield _Mirror(name, str(mirror), own.get("http") is True or own.get("insecure") is True)


def _without_credential(mirrors: dict[str, _Mirror], machine: Machine) -> Iterator[Finding]:
    """Ask each mirror whether it lets in a client without a credential, where Docker's CLI has none."""
    deadline = machine.deadline - _RESERVE
    asked: Tasks[bool] = Tasks(deadline)
    for host, mirror in mirrors.items():
        asked.start(host, partial(_lacks_credential, host, mirror, machine, deadline))
    for host, mirror in mirrors.items():
        if asked.result(host):
            text = f"the mirror {host} of {mirror.builder} wants a credential, and Docker has none for it"
            yield warn(CHECK, "mirror-credential", text, f"docker login {quote(host)}")


def _lacks_credential(host: str, mirror: _Mirror, machine: Machine, deadline: float) -> bool:
    if _has_credential(host, machine, deadline):
        return False
    try:
        api, first = connect(api_host(host), Trust(insecure=mirror.insecure), deadline=deadline)
    except CredentialError:
        return False  # BuildKit goes on to the registry itself
    return api.wants_credential(first)


def _has_credential(host: str, machine: Machine, deadline: float) -> bool:
    try:
        config = DockerConfig.read(docker_config_path(machine.environ))
        helper = config.helper_for(docker_key(host), machine.environ.get("PATH", ""))
        if not helper:
            return config.plaintext_for(docker_key(host)) is not None
        path = find_helper(helper, machine.environ)
        seconds = max(0.1, deadline - time.monotonic())
        if path:
            ExternalStore(path, machine.environ, seconds, lambda _: None).get(docker_key(host))
    except CredentialError:
        return False
    return bool(path)

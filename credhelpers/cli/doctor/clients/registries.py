"""registries.conf: what it blocks, rewrites and leaves unsafe, and whether short names are found."""

import os
from collections.abc import Iterator
from shlex import quote

from credhelpers import paths, process
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.clients import sed_command
from credhelpers.clients.containers_auth import HUB
from credhelpers.clients.registries_conf import RegistriesConf, Registry
from credhelpers.finding import Finding, fail, ok, warn

CHECK = "registries.conf"

_SEARCH = 'unqualified-search-registries = ["docker.io"]'


def check(config: RegistriesConf, machine: Machine, servers: list[str]) -> list[Finding]:
    """Check registries.conf and its drop-ins.

    Args:
        config: What they say together.
        machine: The environment.
        servers: The registries in use.
    """
    found = [*_old(config), *(_search(config, machine) if not servers or HUB in servers else [])]
    for server in servers:
        table = config.registry_for(server)
        if table and table.blocked:
            text = f"{table.path} blocks {server}"
            found.append(fail(CHECK, "blocked", text, _turned(table, "blocked", server)))
        elif table and table.insecure:
            text = f"{table.path} allows {server} any certificate, or none: the password may go unencrypted"
            found.append(warn(CHECK, "insecure", text, _turned(table, "insecure", server)))
    return found or [ok(CHECK, f"{' and '.join(config.paths) or 'no file'} can be read")]


def _old(config: RegistriesConf) -> Iterator[Finding]:
    if config.old_format:
        text = f"{config.old_format} is in the format of version 1, which has no credential-helpers"
        yield warn(CHECK, "old-format", text, "rewrite it by man containers-registries.conf")


def _search(config: RegistriesConf, machine: Machine) -> Iterator[Finding]:
    """Find that a short name such as alpine means no image; skopeo takes none anyway."""
    home = paths.home_directory(machine.environ)
    if (
        config.search
        or config.old_format
        or not home
        or not process.find(("podman", "buildah"), machine.environ)
    ):
        return
    directory = os.path.join(home, ".config", "containers", "registries.conf.d")
    file = os.path.join(directory, "00-search.conf")
    text = "there is no unqualified-search-registries, so podman does not find most names without a host"
    remedy = f"mkdir -p {quote(directory)} && printf '%s\\n' {quote(_SEARCH)} >{quote(file)}"
    yield warn(CHECK, "no-search", text, remedy)


def _turned(table: Registry, key: str, server: str) -> str:
    """Return the command that sets a key to false, where the file has it only once."""
    try:
        with open(table.path, encoding="utf-8") as file:
            lines = [line for line in file if line.split("=")[0].strip() == key]
    except (OSError, UnicodeDecodeError):
        lines = []
    if len(lines) == 1:
        return sed_command.substitute(table.path, rf"^\([[:space:]]*{key}[[:space:]]*=\).*", r"\1 false")
    return f"set {key} of {server} to false in {table.path}"

"""dockerd: whether it starts with its daemon.json, its mirrors, its certificates, and its socket."""

import os
import re
import time
from collections.abc import Iterator

from credhelpers import process
from credhelpers.cli.doctor.clients import certs_d, daemon_json, daemon_proxy, mirrors
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.program_version import program_version
from credhelpers.clients import docker_daemon
from credhelpers.clients.systemd_unit import read_unit
from credhelpers.finding import Finding, fail, ok, warn

_SOCKET = "docker socket"
_UNIT = "docker.service"
_CONFIG_FILE = re.compile(r"--config-file[= ]\"?([^\s\"]+)")


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about dockerd; nothing where it is not installed and not configured."""
    files, folders = _places(machine)
    program = _program(machine)
    if program or any(map(os.path.exists, files)) or any(map(os.path.isdir, folders)):
        yield "dockerd", list(_findings(machine, program, files, folders))


def _findings(
    machine: Machine, program: str | None, files: list[str], folders: list[str]
) -> Iterator[Finding]:
    version = program_version(program, machine.environ)
    found: list[Finding] = []
    for path in filter(os.path.exists, files):
        content, faults = daemon_json.check(path, program, version, machine.environ)
        found += faults
        seconds = 0.0 if machine.offline else machine.deadline - time.monotonic() - 0.5
        found += mirrors.check(path, content, version, seconds)
        found += daemon_proxy.check(path, content, seconds)
    yield from found or [ok(daemon_json.CHECK, f"{files[0]} does not exist; every setting has its default")]
    yield from certs_d.check(folders, machine)
    yield from _socket(machine)


def _program(machine: Machine) -> str | None:
    """Return dockerd, which is where the PATH of an ordinary user does not lead."""
    system = [os.path.join(machine.root, name) for name in ("usr/local/sbin", "usr/sbin", "sbin")]
    path = ":".join([machine.environ.get("PATH", os.defpath), *system])
    return process.find(("dockerd",), {"PATH": path})


def _places(machine: Machine) -> tuple[list[str], list[str]]:
    """Return the configuration files and the folders of certificates, also those of rootless mode."""
    files = [*filter(None, [_named(machine)]), *docker_daemon.daemon_files(machine.environ, machine.root)]
    folders = docker_daemon.folders(machine.environ, machine.root)
    return files, [os.path.join(folder, "certs.d") for folder in folders]


def _named(machine: Machine) -> str:
    """Return the file that dockerd's unit names in the default's place; empty for none."""
    unit = read_unit(_UNIT, machine.root)
    found = _CONFIG_FILE.search(unit.command) if unit else None
    return unit.below_root(found[1]) if unit and found else ""


def _socket(machine: Machine) -> list[Finding]:
    """Check that Docker's CLI may use the socket of dockerd on this machine."""
    import socket

    named = machine.environ.get("DOCKER_HOST", "")
    path = named.removeprefix("unix://") if named else os.path.join(machine.root, "run/docker.sock")
    if "://" in path or machine.environ.get("DOCKER_CONTEXT") or not os.path.exists(path):
        return []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(path)
        except PermissionError:
            remedy = "as root: usermod -aG docker $(id -un), then log in again"
            return [fail(_SOCKET, "denied", f"this user may not use {path}, so docker pulls nothing", remedy)]
        except OSError as error:
            text = f"nothing answers at {path}: {error.strerror or error}"
            return [warn(_SOCKET, "silent", text, "as root: systemctl restart docker")]
    return [ok(_SOCKET, f"dockerd answers at {path}")]

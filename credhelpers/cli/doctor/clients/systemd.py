"""The unit of dockerd, which pulls for Docker's CLI: only what keeps it from starting or from the network."""

from collections.abc import Iterator

from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.service import check_unit, find_service
from credhelpers.clients import docker_daemon
from credhelpers.finding import OK, Finding

_UNIT = "docker.service"


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the faults of dockerd's unit; nothing where there are none."""
    service = find_service(machine, _UNIT)
    if not service.known:
        return
    found = check_unit(service, machine, needs_proxy=not _has_proxy(machine))
    if faults := [finding for finding in found if finding.state != OK]:
        yield _UNIT, faults


def _has_proxy(machine: Machine) -> bool:
    """Return whether root's daemon.json names a proxy (dockerd 23 and newer)."""
    path, *_ = docker_daemon.daemon_files(machine.environ, machine.root)
    try:
        content = docker_daemon.read(path)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("proxies"))

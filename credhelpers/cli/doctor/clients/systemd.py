"""The unit of dockerd, which pulls for Docker's CLI: only what keeps it from starting or from the network."""

import json
import os
from collections.abc import Iterator

from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.service import check_unit, find_service
from credhelpers.finding import OK, Finding

_UNIT = "docker.service"
_DAEMON = "/etc/docker/daemon.json"


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the faults of dockerd's unit; nothing where there are none."""
    service = find_service(machine, _UNIT)
    if not service.known:
        return
    has_proxy = _has_proxy(os.path.join(machine.root, _DAEMON.lstrip("/")))
    found = check_unit(service, machine, needs_proxy=not has_proxy)
    if faults := [finding for finding in found if finding.state != OK]:
        yield _UNIT, faults


def _has_proxy(path: str) -> bool:
    """Return whether daemon.json names a proxy (dockerd 23 and newer)."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("proxies"))

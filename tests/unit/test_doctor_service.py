"""What doctor asks systemd where it runs. It runs nowhere that tests run, so its answers are stand-ins."""

import os
import time

import pytest

from credhelpers.cli.doctor.clients import service
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.clients.systemd_unit import Unit
from credhelpers.config import Settings


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which systemd runs dockerd, whose unit has changed."""

    def systemctl(*arguments: str) -> str:
        if arguments == ("show-environment",):
            return "LANG=C.UTF-8\nPATH=/run/current/bin:/usr/bin\nODD=$'a\\nb'\n"
        assert arguments == ("show", "--property=NeedDaemonReload", "docker.service")
        return "NeedDaemonReload=yes\n"

    is_directory = os.path.isdir
    monkeypatch.setattr(service, "_systemctl", systemctl)
    monkeypatch.setattr(os.path, "isdir", lambda path: path == "/run/systemd/system" or is_directory(path))
    return Machine({}, Settings({}), None, time.monotonic() + 20)


def test_services_inherit_from_systemd(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "has_unit", lambda *_: True)
    found = service.find_service(machine, "no-such-unit.service").unit.environ
    assert (found["LANG"], found["PATH"]) == ("C.UTF-8", "/run/current/bin:/usr/bin")
    assert "ODD" not in found


def test_a_unit_that_systemd_has_to_read_again(machine: Machine) -> None:
    unit = Unit("docker.service", ("/etc/systemd/system/docker.service",), {})
    finding, *_ = service.check_unit(service.Service(unit, machine), machine)
    assert (finding.id, finding.remedy) == ("unit.changed", "as root: systemctl daemon-reload")

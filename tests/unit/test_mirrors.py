"""registry-mirrors of daemon.json: the remedies are printed as they run, and take an administrator."""

import json
import subprocess
from pathlib import Path

import pytest

from credhelpers.cli.doctor.clients import daemon_json, mirrors
from credhelpers.finding import OK, Finding
from credhelpers.log import one_line
from tests.support.registries import free_port

SECRET = "canary7d1fe02a"


def findings(path: Path, content: dict[str, object], seconds: float = 0) -> list[Finding]:
    path.write_text(json.dumps(content))
    return [finding for finding in mirrors.check(str(path), content, (28,), seconds) if finding.state != OK]


def test_an_outage_of_a_mirror_has_no_fix(tmp_path: Path) -> None:
    mirror = f"http://127.0.0.1:{free_port()}"
    found = findings(tmp_path / "daemon.json", {"registry-mirrors": [mirror]}, 5)
    assert [finding.id for finding in found] == ["dockerd-mirror.plain-http", "dockerd-mirror.unreachable"]
    assert not any(finding.fixable for finding in found)
    assert found[1].text.endswith("so each pull tries it first, and then Docker Hub")


@pytest.mark.parametrize(
    "mirror",
    [
        f"https://ada:{SECRET}@mirror.example",
        f"https://mirror.example/?token={SECRET}",
        "http://mirror.example",
        "mirror.example",
    ],
)
def test_a_remedy_is_printed_as_it_runs(tmp_path: Path, mirror: str) -> None:
    path = tmp_path / "daemon.json"
    (finding,) = findings(path, {"debug": True, "registry-mirrors": [mirror]})
    assert one_line(finding.remedy) == finding.remedy
    assert SECRET not in finding.text + finding.remedy
    subprocess.run(["/bin/sh", "-c", finding.remedy], check=True)
    assert json.loads(path.read_text())["registry-mirrors"] == ["https://mirror.example"]


@pytest.mark.parametrize(
    "content",
    [
        {"credsStore": "pass"},
        {"auths": {"h.example": {"auth": "x"}}},
        {"insecure-registries": ["*.h.example"]},
        {"insecure-registries": [f"ada:{SECRET}@h.example:5000"]},
        {"registry-mirrors": "https://mirror.example"},
    ],
)
def test_a_remedy_of_daemon_json_is_too(tmp_path: Path, content: dict[str, object]) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(content))
    _, found = daemon_json.check(str(path), None, (), {})
    assert found[0].state != OK
    assert one_line(found[0].remedy) == found[0].remedy
    assert not found[0].fixable

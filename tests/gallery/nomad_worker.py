"""A machine that runs Nomad by systemd, and the look-ups of Nomad's docker driver."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.exhibit import Works
from tests.gallery.host import Host
from tests.integration.doctor import Patient

CLIENT = 'data_dir = "/opt/nomad/data"\nclient {\n  enabled = true\n}\n'
UNIT = ("EnvironmentFile=-/etc/nomad.d/nomad.env", "ExecStart=/usr/bin/nomad agent -config /etc/nomad.d")
FILE = "/etc/nomad.d/nomad.hcl"
EMPTY = 'not_found = "empty"\n'
CONFIG = "/etc/credhelpers/config.toml"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A machine that runs Nomad by systemd, whose helpers answer empty."""
    with Host(tmp_path / "host") as machine:
        machine.unit("nomad.service", *UNIT)
        machine.write(CONFIG, EMPTY)
        yield machine


@pytest.fixture
def root(host: Host, user: Patient, tmp_path: Path) -> Patient:
    """The person on call, who is root on that machine."""
    return host.operator(user, tmp_path / "operator")


def agent(host: Host, auth: str, plugin: str = "docker") -> None:
    """Write the agent's configuration."""
    stanza = f'plugin "{plugin}" {{\n  config {{\n    auth {{\n      {auth}\n    }}\n  }}\n}}\n'
    host.write(FILE, CLIENT + stanza)


def install_ours(host: Host, user: Patient, name: str, directory: str = "/usr/local/bin") -> None:
    """Install one of our helpers for every user."""
    place = host.path(directory)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"docker-credential-{name}").symlink_to(user.bin / f"docker-credential-{name}")


def pulls_public(host: Host, name: str, **how: str) -> Works:
    """Return what the docker driver does for a public image, with its helper."""

    def works(_: Patient) -> bool:
        done = host.run([f"docker-credential-{name}", "get"], b"docker.io", **how)  # type: ignore[arg-type]
        return done.returncode == 0 and not any(
            json.loads(done.stdout)[key] for key in ("Username", "Secret")
        )

    return works


def variables(host: Host) -> dict[str, str]:
    """Return the variables of the drop-in that a remedy has written."""
    path = host.path("/etc/systemd/system/nomad.service.d/credhelpers.conf")
    lines = path.read_text().splitlines() if path.exists() else []
    words = [word for line in lines if line.startswith("Environment=") for word in line[12:].split()]
    return dict(word.split("=", 1) for word in words)


ON_HOST = ("--client", "nomad")

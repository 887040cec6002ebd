"""buildx, which Debian lacks: the builder is a file as it writes one; the registry and the store are real."""

import base64
import json
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, gets
from tests.integration.doctor import Patient
from tests.support.tools import require


def builder(user: Patient, configuration: str = "", name: str = "team") -> Path:
    """Write a builder that was made with a configuration of buildkitd."""
    files = {"buildkitd.toml": base64.b64encode(configuration.encode()).decode()} if configuration else {}
    node = {"Name": f"{name}0", "Endpoint": "unix:///var/run/docker.sock", "Flags": None, "Files": files}
    path = user.home / ".docker" / "buildx" / "instances" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"Name": name, "Driver": "docker-container", "Nodes": [node], "Dynamic": False})
    )
    return path


@pytest.mark.failure("buildx.mirror-credential")
def test_a_mirror_of_a_builder(exhibit: Exhibit, keeper: Patient, registry: str) -> None:
    docker = Path(require("docker", "docker.io"))
    user = keeper.but(PATH=f"{keeper.env['PATH']}:{docker.parent}").online
    builder(user, f'[registry."docker.io"]\nmirrors = ["{registry}"]\n[registry."{registry}"]\nhttp = true\n')
    exhibit(user, "--client", "buildx", works=gets("pass", registry), types=f"ada\n{CANARY}\n")

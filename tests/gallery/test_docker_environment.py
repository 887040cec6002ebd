"""What in the environment keeps Docker's CLI from the user's config.json."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.e2e.registry import Login
from tests.gallery.exhibit import Exhibit
from tests.integration.doctor import Patient
from tests.support.images import publish
from tests.support.tools import require

ADA = Login("ada", CANARY)


@pytest.mark.failure("docker_config.elsewhere")
def test_a_directory_without_config(exhibit: Exhibit, keeper: Patient, registry: str, tmp_path: Path) -> None:
    image = publish(tmp_path / "image", f"{registry}/team/app:1", ADA)
    keeper.configure(auths={registry: {"auth": ADA.encoded()}})  # Docker's default would be the store

    def inspects(user: Patient) -> bool:
        command = [require("docker", "docker.io"), "manifest", "inspect", "--insecure", image]
        done = subprocess.run(command, env=user.env, capture_output=True, check=False)
        return done.returncode == 0 and "layers" in json.loads(done.stdout)

    exhibit(keeper.but(DOCKER_CONFIG=str(tmp_path / "elsewhere")), registry, works=inspects)

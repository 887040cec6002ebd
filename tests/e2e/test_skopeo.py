"""skopeo reads the same config.json as docker, and so goes through the same helper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.e2e.docker import Program
from tests.e2e.registry import Registry


@pytest.fixture(params=["~/.docker/config.json", "REGISTRY_AUTH_FILE"])
def settings_with_helper(
    request: pytest.FixtureRequest, environment: dict[str, str], ecr_registry: Registry
) -> Path:
    """A file that names the helper, at each of the places where skopeo looks."""
    file = Path(environment["HOME"]) / ".docker/config.json"
    if request.param == "REGISTRY_AUTH_FILE":
        file = Path(environment["HOME"]) / "auth.json"
        environment["REGISTRY_AUTH_FILE"] = str(file)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"credHelpers": {ecr_registry.host: "ecr-login"}}))
    return file


@pytest.mark.usefixtures("settings_with_helper")
def test_skopeo_inspects_and_copies(skopeo: Program, aws: Emulator, published: str, tmp_path: Path) -> None:
    inspected = skopeo("inspect", f"docker://{published}")
    copied = skopeo("copy", "--insecure-policy", f"docker://{published}", f"dir:{tmp_path}/copy")

    assert inspected.returncode == 0, inspected.stderr
    assert json.loads(inspected.stdout)["Name"] == published.rpartition(":")[0]
    assert copied.returncode == 0, copied.stderr
    assert (tmp_path / "copy/manifest.json").exists()
    assert aws.calls["GetAuthorizationToken"] == 1, "both commands share one token"


def test_skopeo_gets_nothing_without_the_helper(skopeo: Program, published: str) -> None:
    inspected = skopeo("inspect", f"docker://{published}")

    assert inspected.returncode == 1
    assert "authentication required" in inspected.stderr

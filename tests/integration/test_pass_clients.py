"""Real clients against docker-credential-pass: docker-py, and docker's own logout."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from docker.credentials import CredentialsNotFound
from docker.credentials import Store as DockerPyStore

from tests.integration.pass_store import Store
from tests.support.client import Helper
from tests.support.tools import require

SERVER = "registry.example:5000"


@pytest.fixture
def store(password_store_env: dict[str, str], installed: Path) -> Store:
    """A store whose helper clients find on PATH, before the reference one."""
    env = {**password_store_env, "PATH": f"{installed}:{password_store_env['PATH']}"}
    return Store(Helper(installed / "docker-credential-pass", env), Path(env["HOME"], ".password-store"))


@pytest.fixture
def docker_py(store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client, which has no types."""
    monkeypatch.setenv("PATH", store.helper.env["PATH"])
    client: Any = DockerPyStore("pass", environment=dict(store.helper.env))
    assert Path(client.exe) == store.helper.executable
    return client


def test_docker_py_stores_gets_lists_and_erases(docker_py: Any) -> None:
    docker_py.store(server=SERVER, username="me", secret="s3cret")
    assert docker_py.get(SERVER) == {"ServerURL": SERVER, "Username": "me", "Secret": "s3cret"}
    assert docker_py.list() == {SERVER: "me"}
    docker_py.erase(SERVER)
    assert docker_py.list() == {}


def test_docker_py_gets_not_found(docker_py: Any) -> None:
    with pytest.raises(CredentialsNotFound):
        docker_py.get(SERVER)
    docker_py.erase(SERVER)
    assert docker_py.list() == {}


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "never stored"])
def test_docker_logs_out_of_a_server(store: Store, tmp_path: Path, stored: bool) -> None:
    if stored:
        assert store.helper.store(SERVER, "me", "s3cret").code == 0
    (tmp_path / "config.json").write_text(json.dumps({"auths": {SERVER: {}}, "credsStore": "pass"}))
    command = [require("docker", "docker.io"), "--config", str(tmp_path), "logout", SERVER]
    done = subprocess.run(
        command, env=store.helper.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "Removing login credentials" in done.stdout
    assert store.helper.stored() == {}
    assert json.loads((tmp_path / "config.json").read_text()).get("auths", {}) == {}


def test_skopeo_logs_out_of_a_server(store: Store, tmp_path: Path) -> None:
    assert store.helper.store(SERVER, "me", "s3cret").code == 0
    registries = tmp_path / "registries.conf"
    registries.write_text('credential-helpers = ["pass"]\n')
    command = [require("skopeo", "skopeo"), "--registries-conf", str(registries), "logout", SERVER]
    done = subprocess.run(
        command, env=store.helper.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done
    assert store.helper.stored() == {}

"""The tutorial of the README, replayed: a new user runs its commands, and they print what it says."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import publish
from tests.e2e.docker import Docker
from tests.e2e.namespace import Namespace
from tests.e2e.registry import Registry
from tests.support.tools import require

README = Path(__file__).parents[2] / "README.md"
IMAGE = "team/app:1"


@pytest.fixture
def user(environment: dict[str, str], private_registry: Registry, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Somebody who has logged in the old way: all there is is a password in config.json."""
    # gpg-agent's sockets live in the home, and their paths may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="tutorial-", dir="/tmp") as home:
        docker = Path(home, ".docker")
        docker.mkdir()
        assert private_registry.login is not None
        auths = {private_registry.host: {"auth": private_registry.login.encoded()}}
        (docker / "config.json").write_text(json.dumps({"auths": auths}, indent="\t"))
        yield environment | {"HOME": home, "DOCKER_CONFIG": str(docker)}
        gpgconf = [require("gpgconf", "gpgconf"), "--homedir", f"{home}/.gnupg", "--kill", "all"]
        subprocess.run(gpgconf, check=False, timeout=30)


def transcript() -> list[tuple[str, list[str]]]:
    """Return each command of the tutorial, and the lines that it prints."""
    block = re.search(r"^```console\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert block
    steps: list[tuple[str, list[str]]] = []
    for line in block[1].splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def pattern(lines: list[str]) -> str:
    """Return what matches these lines; an ellipsis stands for the rest of a line, or alone for any lines."""
    whole = "".join("(.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in lines)
    return whole or "(.*\n)*"


def test_the_tutorial_does_what_it_shows(
    docker: Docker,
    namespace: Namespace,
    publisher: Docker,
    private_registry: Registry,
    user: dict[str, str],
) -> None:
    image = publish(publisher, private_registry, IMAGE)
    (first, _), *steps = transcript()
    assert first.startswith("scripts/install.sh"), "which is how the executables here were installed"
    assert private_registry.login is not None
    secret = private_registry.login.password

    for command, lines in steps:
        done = namespace.run("sh", "-c", f"exec 2>&1; {command}", environment=user)
        assert done.returncode == 0, done.stdout
        assert re.fullmatch(pattern(lines), done.stdout), f"$ {command}\n{done.stdout}"
        assert secret not in done.stdout

    assert docker.has(image)
    docker.forget(image)
    assert [step for step, _ in steps][-1] == f"docker pull {image}"
    assert private_registry.login.encoded() not in Path(user["DOCKER_CONFIG"], "config.json").read_text()

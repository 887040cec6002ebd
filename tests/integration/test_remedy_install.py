"""A launcher in plain sh whose Python is gone is installed again by the command that doctor names."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.doctor import Patient
from tests.integration.ways import Wheels
from tests.remedies.rule import commands
from tests.support.installer import REPOSITORY

_SECONDS = 900


def test_a_front_without_its_launcher(
    installed: Path, private_env: dict[str, str], wheels: Wheels, tmp_path: Path
) -> None:
    front = (installed / "docker-credential-ecr-login").read_text()
    if "CREDHELPERS_FAST_PATH" not in front:
        pytest.fail("the helpers of these tests were installed without the launcher in plain sh")
    path = tmp_path / "prefix" / "bin" / "docker-credential-ecr-login"
    path.parent.mkdir(parents=True)
    path.write_text(re.sub(r"(?m)^helper=.*$", "helper='/nonexistent'", front))
    path.chmod(0o755)
    user = Patient(installed, {**private_env, "PATH": f"{path.parent}:{installed}:/usr/bin:/bin"})
    user.configure(credsStore="ecr-login")

    found = user.doctor().of("fast path")
    assert found.state == "fail"
    done = subprocess.run(
        ["/bin/sh", "-c", *commands(found.remedy)],
        cwd=REPOSITORY,
        env={**os.environ, **wheels.env, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done

    assert user.doctor().state("fast path") == "ok"
    assert user.helper("ecr-login").list().code == 0

"""For a launcher in plain sh whose Python is gone, doctor names the command that installs it again."""

import re
from pathlib import Path
from shlex import quote

import pytest

from tests.integration.doctor import Patient
from tests.remedies.rule import commands


def test_a_front_without_its_launcher(installed: Path, private_env: dict[str, str], tmp_path: Path) -> None:
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
    prefix = quote(str(path.parent.parent))
    assert commands(found.remedy) == [
        f"scripts/install.sh --prefix {prefix}"
    ]  # tests/integration/test_install.py

"""The systemd units are such that systemd takes them, and name what is installed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.tools import require

_UNITS = Path(__file__).resolve().parents[2] / "packaging" / "systemd"


@pytest.fixture
def runtime() -> Iterator[str]:
    """A directory whose name leaves room for those of sockets, which may have 107 bytes."""
    with TemporaryDirectory(prefix="ch-", dir="/tmp") as directory:
        yield directory


@pytest.mark.parametrize("manager", ["system", "user"])
def test_systemd_accepts_the_units(tmp_path: Path, runtime: str, manager: str) -> None:
    analyze = require("systemd-analyze", "systemd")
    command = tmp_path / "credhelpers"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    units = []
    for unit in sorted((_UNITS / manager).iterdir()):
        text = unit.read_text()
        for place in ("/usr/local/bin/credhelpers", "%h/.local/bin/credhelpers"):
            text = text.replace(place, str(command))  # which need not be installed where the test runs
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)

    done = subprocess.run(
        [analyze, f"--{manager}", "verify", *map(str, units)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": runtime},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(units) == 2

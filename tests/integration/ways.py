"""A folder of wheels to install from."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.installer import REPOSITORY, TIMEOUT_SECONDS, package_index
from tests.support.tools import SYSTEM_PATH, require


@dataclass(frozen=True)
class Wheels:
    """A folder with the wheel of this project, and what scripts/lock.sh --download puts there."""

    folder: Path

    @property
    def ours(self) -> str:
        """The wheel of this project."""
        (wheel,) = self.folder.glob("credhelpers-*.whl")
        return str(wheel)


def system_python() -> str:
    """Return the system's interpreter by the name with its version, as scripts/install.sh takes it."""
    return os.path.realpath(require("python3", "python3"))


def make_wheels(folder: Path, home: Path) -> Wheels:
    """Fill a folder: what the lock files name, and this project as it stands in the working tree."""
    env = {"HOME": str(home), "PATH": SYSTEM_PATH, **package_index()}
    _run([str(REPOSITORY / "scripts/lock.sh"), "--download", str(folder), "--python", system_python()], env)
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], env)
    return Wheels(folder)


def _run(command: list[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

"""scripts/install.sh where packages cannot be had: it says so, and changes nothing.

That an ordinary user and root install, upgrade and uninstall is seen by .ci/run.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.ways import UNREACHABLE, Wheels, system_python
from tests.support.installer import Checkout, fresh_clone, package_index, tree
from tests.support.tools import require

_NOBODY = 65534


@dataclass(frozen=True)
class User:
    """Somebody with a home and a clone, and the Python to install with."""

    checkout: Checkout
    python: Path

    @property
    def home(self) -> Path:
        """The home of the user; ~/.local is where scripts/install.sh installs to."""
        return Path(self.checkout.env["HOME"])

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run scripts/install.sh for that Python."""
        return self.checkout.install("--python", str(self.python), *arguments)


@pytest.fixture
def user() -> Iterator[User]:
    """Whoever runs the tests."""
    with tempfile.TemporaryDirectory(prefix="a user ", dir="/tmp") as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / "home").mkdir()
        env = {"HOME": str(root / "home"), **package_index()}
        yield User(Checkout(fresh_clone(root / "clone"), env), Path(system_python()))


def _copy_of_python(prefix: Path) -> Path:
    """Make a Python that belongs to the system, and has not compiled all of its modules yet."""
    original = Path(system_python())
    code = "import os; print(os.path.dirname(os.__file__), end='')"
    stdlib = subprocess.check_output([original, "-Ic", code], text=True, timeout=60)
    python = prefix / "bin" / original.name
    python.parent.mkdir(parents=True)
    shutil.copy2(original, python)
    python.chmod(0o555)
    shutil.copytree(stdlib, prefix / "lib" / original.name, ignore=shutil.ignore_patterns("test"))
    for compiled in python.parent.parent.glob("lib/python3.*/*/**/__pycache__"):
        shutil.rmtree(compiled)
    return python


@pytest.fixture
def ordinary(user: User) -> User:
    """The same with a Python of their own system; or, where that is root, somebody who is nobody."""
    user = replace(user, python=_copy_of_python(user.home.parent / "system"))
    if os.geteuid() != 0:
        return user
    os.chown(user.home, _NOBODY, _NOBODY)
    setpriv = require("setpriv", "util-linux")
    through = (setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    return replace(user, checkout=replace(user.checkout, through=through))


def _state(path: Path) -> tuple[int, int]:
    """What any change of a file changes."""
    status = path.stat()
    return status.st_mode, status.st_ctime_ns


def _outside(user: User, prefix: Path) -> dict[str, object]:
    root = user.home.parent
    found: dict[str, object] = {
        name: what for name, what in tree(root).items() if not (root / name).is_relative_to(prefix)
    }
    return found | {"the interpreter": _state(user.python)}


def _wheels_of(user: User, wheels: Wheels) -> Path:
    """Put the wheels where the user can read them."""
    return Path(shutil.copytree(wheels.folder, user.home.parent / "a folder"))


def test_an_unreachable_index_is_named(ordinary: User) -> None:
    env = {**ordinary.checkout.env, "PIP_INDEX_URL": UNREACHABLE, "PIP_RETRIES": "0"}
    prefix = ordinary.home / ".local"
    before = _outside(ordinary, prefix)

    done = replace(ordinary, checkout=replace(ordinary.checkout, env=env)).install()

    assert done.stdout.startswith(f"Installing into {prefix} with ")
    assert done.returncode == 1
    expected = "install.sh: the package index cannot be reached (Connection refused); nothing was changed: "
    assert done.stderr.startswith(expected)
    assert "--wheels" in done.stderr
    assert not prefix.exists()
    assert _outside(ordinary, prefix) == before


def test_wheels_are_held_to_the_hashes(user: User, wheels: Wheels) -> None:
    folder = _wheels_of(user, wheels)
    (tampered,) = folder.glob("pluggy-*.whl")
    with tampered.open("ab") as file:
        file.write(b"\0")
    arguments = ("--wheels", str(folder), "--prefix", str(user.home / "prefix"))

    done = user.install(*arguments)
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert done.stderr.endswith("install.sh: pip failed; nothing was changed\n")

    tampered.unlink()
    done = user.install(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"install.sh: {folder} lacks pluggy==")
    assert "scripts/lock.sh --download" in done.stderr
    assert not (user.home / "prefix").exists()


def test_wheels_that_are_not_a_folder_are_named(user: User) -> None:
    done = user.install("--wheels", "/nonexistent")
    assert (done.returncode, done.stderr) == (
        1,
        "install.sh: /nonexistent is not a folder: scripts/lock.sh --download makes one\n",
    )

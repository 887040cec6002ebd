"""Installing the project's wheel with pip, pipx and uv, from a folder that has all packages."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.installer import REPOSITORY, TIMEOUT_SECONDS, package_index, script
from tests.support.tools import SYSTEM_PATH, require

_TOOLS = Path(sys.executable).parent
UNREACHABLE = "https://127.0.0.1:9/simple"
"""A package index on the port of the discard service, on which nothing listens."""


@dataclass(frozen=True)
class Wheels:
    """A folder with the wheel of this project, and what scripts/lock.sh --download puts there."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The settings by which pip takes all packages from the folder and asks no index."""
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.folder.as_uri()}

    @property
    def ours(self) -> str:
        """The wheel of this project."""
        (wheel,) = self.folder.glob("credhelpers-*.whl")
        return str(wheel)


def system_python() -> str:
    """Return the system's interpreter by the name with its version, as scripts/install.sh takes it."""
    return os.path.realpath(require("python3", "python3"))


def make_wheels(folder: Path, home: Path) -> None:
    """Fill a folder: what the lock files name, and this project as it stands in the working tree."""
    env = {"HOME": str(home), "PATH": SYSTEM_PATH, **package_index()}
    _run([str(REPOSITORY / "scripts/lock.sh"), "--download", str(folder), "--python", system_python()], env)
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], env)


def by_pip(wheels: Wheels, root: Path, env: Mapping[str, str]) -> Path:
    """Install with pip into a virtual environment."""
    _run([system_python(), "-m", "venv", "--without-pip", str(root / "venv")], env)
    _pip(wheels, ["--python", str(root / "venv/bin/python"), "install"], env)
    return root / "venv/bin"


def by_pip_for_a_user(wheels: Wheels, root: Path, env: Mapping[str, str]) -> Path:
    """Install with pip for one user: the Python is the system's, and so are packages that it has already."""
    base = {"PYTHONUSERBASE": str(root / "user base"), "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    _pip(wheels, ["--python", system_python(), "install", "--user"], {**env, **base})
    return root / "user base/bin"


def by_pipx(wheels: Wheels, root: Path, env: Mapping[str, str]) -> Path:
    """Install with pipx, which links to the executables."""
    places = {"PIPX_HOME": str(root / "pipx"), "PIPX_BIN_DIR": str(root / "bin")}
    arguments = f"--no-index --find-links '{wheels.folder}'"
    command = ["pipx", "install", "--python", system_python(), f"--pip-args={arguments}", wheels.ours]
    _run([str(_TOOLS / command[0]), *command[1:]], {**env, **places})
    return root / "bin"


def by_uv_tool(wheels: Wheels, root: Path, env: Mapping[str, str]) -> Path:
    """Install with uv as a tool, to which uv links."""
    places = {"UV_TOOL_DIR": str(root / "tools"), "UV_TOOL_BIN_DIR": str(root / "bin")}
    _uv(wheels, ["tool", "install", "--python", system_python()], {**env, **places})
    return root / "bin"


def by_uv_pip(wheels: Wheels, root: Path, env: Mapping[str, str]) -> Path:
    """Install with uv into a virtual environment of uv's."""
    _run([str(_TOOLS / "uv"), "venv", "--python", system_python(), str(root / "venv")], env)
    _uv(wheels, ["pip", "install", "--python", str(root / "venv/bin/python")], env)
    return root / "venv/bin"


WAYS: Mapping[str, Callable[[Wheels, Path, Mapping[str, str]], Path]] = {
    "pip": by_pip,
    "pip --user": by_pip_for_a_user,
    "pipx": by_pipx,
    "uv tool": by_uv_tool,
    "uv pip": by_uv_pip,
}
"""How to install; each returns the directory of the executables."""


def install(way: str, wheels: Wheels, root: Path) -> Path:
    """Install into a directory of its own, for somebody with no settings and no network; return its `bin`."""
    root.mkdir()
    nothing = {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return WAYS[way](wheels, root, {"HOME": str(root), "PATH": SYSTEM_PATH, **nothing})


def plant(place: Path, evidence: Path) -> None:
    """Put what Python or a shell might take for its own into a directory; whatever is run leaves its name."""
    place.mkdir(parents=True, exist_ok=True)
    names = ("sitecustomize", "usercustomize", "credhelpers", "click", "json", "fcntl", "os", "subprocess")
    for name in names:
        (place / f"{name}.py").write_text(f"open({str(evidence)!r}, 'a').write({name!r})\n")
    (place / "planted.pth").write_text(f"import os; open({str(evidence)!r}, 'a').write('pth')\n")
    for name in (Path(system_python()).name, "python3", "readlink"):
        script(place / name, f"echo {name} >>'{evidence}'")


def _pip(wheels: Wheels, command: list[str], env: Mapping[str, str]) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *command]
    _run([*pip, "--no-index", "--find-links", str(wheels.folder), wheels.ours], env)


def _uv(wheels: Wheels, command: list[str], env: Mapping[str, str]) -> None:
    uv = [str(_TOOLS / "uv"), *command, "--offline", "--no-index", "--find-links", str(wheels.folder)]
    _run([*uv, wheels.ours], env)


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

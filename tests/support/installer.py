"""Running scripts/install.sh as a user would: from a fresh clone, with nothing inherited."""

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import SYSTEM_PATH, require

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TIMEOUT_SECONDS = 600
_TOOLS = "cat chmod cmp cut dirname find grep head id ln mkdir mv rm rmdir sed sh sort tr wc"


@dataclass(frozen=True)
class Checkout:
    """A clone of the project and the environment in which its scripts are run."""

    path: Path
    env: Mapping[str, str]
    through: tuple[str, ...] = ()
    """A command that runs the scripts, such as one that makes another user of root."""

    def install(self, *arguments: str, path: str = SYSTEM_PATH) -> subprocess.CompletedProcess[str]:
        """Run scripts/install.sh from another directory, with a umask that shuts everybody else out.

        Args:
            arguments: Its command line.
            path: The `PATH` to run it with.
        """
        with self.start(*arguments, path=path) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                kill(process)
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def start(self, *arguments: str, path: str = SYSTEM_PATH) -> subprocess.Popen[str]:
        """Start scripts/install.sh and return without waiting for it; see `install`."""
        return subprocess.Popen(
            [*self.through, str(self.path / "scripts" / "install.sh"), *arguments],
            cwd="/",
            env={**self.env, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=0o077,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a run and everything that it has started, without a chance to clean up."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def fresh_clone(directory: Path) -> Path:
    """Make a repository of what stands in the working tree, committed or not, and return its path."""
    git = require("git", "git")
    directory.mkdir(exist_ok=True)
    listing = [git, "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True, timeout=60).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, directory / name)
    author = ["-c", "user.name=tests", "-c", "user.email=tests@credhelpers.example"]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--no-gpg-sign", "-m", "All"],
    ):
        subprocess.run([git, "-C", str(directory), *command], check=True, timeout=60)
    return directory


def bare_path(directory: Path) -> str:
    """Make a `PATH` on which there are sh and its usual tools, but no package manager and no gpg."""
    directory.mkdir()
    for tool in _TOOLS.split():
        (directory / tool).symlink_to(require(tool, "coreutils"))
    return str(directory)


def package_index() -> dict[str, str]:
    """Return those variables of the environment that say how this machine reaches its package index."""
    wanted = re.compile(r"pip_(cert|proxy|.*index_url|find_links)|(https?|no)_proxy", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if wanted.fullmatch(name)}


def script(path: Path, *lines: str) -> Path:
    """Write an executable for /bin/sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Return the mode and the content of everything below a directory."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(directory))] = (status.st_mode, content)
    return found

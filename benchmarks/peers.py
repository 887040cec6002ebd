"""The executables that are compared: ours, installed in both ways, and the peers, from apt and from PyPI."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
AWSCLI = "awscli==1.45.11"
_SECONDS = 1800

PACKAGES = {
    "docker-credential-ecr-login": "amazon-ecr-credential-helper",
    "docker-credential-pass": "golang-docker-credential-helpers",
    "docker-credential-secretservice": "golang-docker-credential-helpers",
    "pass": "pass",
    "gpg": "gnupg",
    "gpgconf": "gnupg",
    "dbus-daemon": "dbus",
    "gnome-keyring-daemon": "gnome-keyring",
    "time": "time",
}
"""The Debian package of each tool."""


@dataclass(frozen=True)
class Peers:
    """Where everything is.

    Attributes:
        directory: Where it was installed; what the measurements need goes there too.
    """

    directory: Path

    def ours(self, name: str) -> str:
        """Return an executable as scripts/install.sh installs it."""
        return str(self.directory / "prefix" / "bin" / name)

    def by_pip(self, name: str) -> str:
        """Return an executable of the environment that pip alone has made."""
        return str(self.directory / "pip" / "bin" / name)

    @property
    def aws(self) -> str:
        """The AWS command-line interface."""
        return str(self.directory / "awscli" / "bin" / "aws")

    @staticmethod
    def reference(name: str) -> str:
        """Return an executable of the system.

        Raises:
            FileNotFoundError: It is missing.
        """
        found = shutil.which(name, path=SYSTEM_PATH)
        if not found:
            raise FileNotFoundError(f"{name} is missing: install the Debian package {PACKAGES[name]}")
        return found

    def versions(self) -> dict[str, str]:
        """Return the version of every peer."""
        versions = {AWSCLI.partition("==")[0]: AWSCLI.partition("==")[2]}
        query = ["dpkg-query", "-W", "-f", "${Version}"]
        if shutil.which(query[0]):
            for package in sorted(set(PACKAGES.values())):
                done = subprocess.run([*query, package], capture_output=True, text=True, check=False)
                versions[package] = done.stdout if done.returncode == 0 else ""
        return versions


def install(directory: Path, *, with_aws: bool = True) -> Peers:
    """Install everything below a directory, and what is missing of the system's packages as root.

    What is there already, from an earlier run, stays as it is.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _install_packages()
    peers = Peers(directory)
    if not Path(peers.ours("credhelpers")).exists():
        _run("sh", str(CHECKOUT / "scripts" / "install.sh"), "--prefix", str(directory / "prefix"))
    if not Path(peers.by_pip("credhelpers")).exists():
        python = _environment(directory / "pip")
        _pip(python, "--require-hashes", "--requirement", str(CHECKOUT / "packaging" / "runtime.lock"))
        _pip(python, "--no-deps", str(CHECKOUT))
    if with_aws and not Path(peers.aws).exists():
        try:
            _pip(_environment(directory / "awscli"), AWSCLI)
        except subprocess.CalledProcessError as error:  # its row will say that it is not there
            print(error, file=sys.stderr)  # noqa: T201
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(directory / "pip" / "lib" / version / "site-packages"))  # of this very Python
    return peers


def _install_packages() -> None:
    missing = {package for tool, package in PACKAGES.items() if not shutil.which(tool, path=SYSTEM_PATH)}
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        _run("apt-get", "-qq", "update")
        _run("apt-get", "-qq", "-y", "--no-install-recommends", "--no-remove", "install", *sorted(missing))


def _environment(directory: Path) -> str:
    _run(sys.executable, "-m", "venv", "--clear", str(directory))
    return str(directory / "bin" / "python")


def _pip(python: str, *arguments: str) -> None:
    _run(python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    """Run a command; what it prints goes to stderr, for stdout is for the table."""
    print("+", *command, file=sys.stderr, flush=True)  # noqa: T201
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True, timeout=_SECONDS)

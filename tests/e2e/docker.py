"""The rig's dockerd, and docker and skopeo as one user runs them."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.e2e.service import Service

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from tests.e2e.namespace import Namespace


class DockerDaemon:
    """dockerd with a socket, images and state of its own; it pulls and pushes, and runs no containers."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        # A Unix socket's path may have no more than 107 characters, so the directory has to be near the root.
        self.host = f"unix://{directory}/docker.sock"
        dockerd = namespace.join(
            "dockerd",
            f"--host={self.host}",
            f"--data-root={directory}/data",
            f"--exec-root={directory}/exec",
            f"--pidfile={directory}/docker.pid",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--storage-driver=vfs",
        )
        self._service = Service(dockerd, ready="API listen on")

    def __enter__(self) -> Self:
        self._service.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._service.__exit__()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._service.pid


@dataclass(frozen=True)
class Program:
    """A program as one user runs it: called with the arguments that follow its name."""

    namespace: Namespace
    executable: str
    environment: Mapping[str, str] = field(repr=False)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        return self.namespace.run(self.executable, *arguments, environment=self.environment, stdin=stdin)


@dataclass(frozen=True)
class Docker(Program):
    """The docker CLI of one user."""

    def succeed(self, *arguments: str, stdin: bytes = b"") -> str:
        """The standard output of a command that has to succeed."""
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    @property
    def config_directory(self) -> Path:
        return Path(self.environment["DOCKER_CONFIG"])

    @property
    def config_file(self) -> Path:
        return self.config_directory / "config.json"

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Makes ``settings`` the user's whole config.json."""
        self.config_directory.mkdir(exist_ok=True)
        self.config_file.write_text(json.dumps(settings))

    def has(self, image: str) -> bool:
        """Whether the daemon has ``image`` here, without asking a registry."""
        return image in self.succeed("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()

    def import_image(self, image: str) -> None:
        """Makes ``image`` out of one small file."""
        self.succeed("import", "-", image, stdin=tar_of("greeting.txt", f"I am {image}\n".encode()))

    def forget(self, image: str) -> None:
        """Removes ``image`` from the daemon, so that only a registry can have it."""
        if self.has(image):
            self.succeed("rmi", image)
        assert not self.has(image)


def tar_of(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()

"""The files in which podman, buildah and skopeo look for credentials, in their order.

(containers-auth.json(5), containers/image pkg/docker/config: getAuthFilePaths, findCredentialsInFile)
"""

import os
from collections.abc import Mapping

from credhelpers.clients.docker_config import DockerConfig, docker_config_path, hostname_of, podman_directory
from credhelpers.servers import HUB_HOSTS, HUB_KEY

PROGRAMS = ("podman", "skopeo", "buildah")
"""The clients that share these files."""

HUB = "docker.io"
"""The name under which these clients ask a helper for Docker Hub."""


def server_name(server: str) -> str:
    """Return what podman asks a helper for: the host, without a path; Docker Hub has one name."""
    host = hostname_of(server)
    return HUB if host in HUB_HOSTS else host


def auth_paths(environ: Mapping[str, str], root: str = "/") -> list[str]:
    """Return the files in which these clients look, whether they exist or not; Docker's is the last one.

    Args:
        environ: The environment; ``REGISTRY_AUTH_FILE`` names the only file.
        root: What the paths of the system's files begin with.

    Raises:
        CredentialError: There is no home directory.
    """
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        return [os.path.abspath(named)]
    runtime = environ.get("XDG_RUNTIME_DIR")
    system = os.path.join(root, "run", "containers", str(os.geteuid()))
    first = os.path.join(runtime, "containers") if runtime else system
    return [
        os.path.join(first, "auth.json"),
        os.path.join(podman_directory(environ), "auth.json"),
        docker_config_path(environ),
    ]


def own_auth_paths(environ: Mapping[str, str], root: str = "/") -> list[str]:
    """Return these files without Docker's: the one that ``podman login`` writes to, and the one that lasts.

    Without ``XDG_RUNTIME_DIR`` the first is below ``/run/containers``; where the user may not look into that
    directory, they have no file there.

    Args:
        environ: The environment; ``REGISTRY_AUTH_FILE`` names the only file.
        root: What the paths of the system's files begin with.

    Raises:
        CredentialError: There is no home directory.
    """
    system = os.path.join(root, "run", "containers")
    own = auth_paths(environ, root)[:2]
    if not own[0].startswith(f"{system}/") or os.access(system, os.X_OK):
        return own
    return own[1:]


def is_dockers(path: str) -> bool:
    """Return whether a path is that of Docker's own configuration, in which podman looks last."""
    return os.path.basename(path) == "config.json"


def runtime_directory(environ: Mapping[str, str]) -> str:
    """Return the directory that XDG_RUNTIME_DIR names and that does not exist; empty when all is well."""
    named = environ.get("XDG_RUNTIME_DIR", "")
    return named if named and not environ.get("REGISTRY_AUTH_FILE") and not os.path.exists(named) else ""


def username_in(config: DockerConfig, server: str) -> str | None:
    """Return the username of the secret that a file itself holds for a server; None when it holds none."""
    names = (server, HUB_KEY) if server == HUB else (server,)
    for name in names:
        secret = config.plaintext_for(name)
        if secret is not None and secret.kind != "unreadable":
            return secret.credential.username
    return None

"""What a Nomad agent's files say about credentials: the auth blocks of its docker and podman drivers."""

import os
import shlex
from dataclasses import dataclass

from credhelpers.clients import hcl
from credhelpers.clients.shared_file import LARGEST
from credhelpers.credential import CredentialError

DOCKER, PODMAN = "docker", "nomad-driver-podman"
"""The names of the plugins."""


@dataclass(frozen=True)
class Auth:
    """How a driver finds credentials; it asks the file first, then the helper.

    Attributes:
        driver: `DOCKER` or `PODMAN`.
        path: The file that says so; empty when none does.
        helper: The helper that is asked about every image; empty when there is none.
        config: The file with credentials, or with the names of helpers; empty when there is none.
        hidden: Files whose stanza for the same plugin is not used, because a later one replaces it.
    """

    driver: str
    path: str
    helper: str = ""
    config: str = ""
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agent:
    """A Nomad agent's configuration.

    Attributes:
        files: What was read, in the order in which Nomad merges it.
        is_client: Whether it runs tasks.
        drivers: What is configured for each driver.
    """

    files: list[str]
    is_client: bool
    drivers: list[Auth]


def config_arguments(command: str) -> list[str]:
    """Return the paths that a command line of ``nomad agent`` names by ``-config``."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in ("-config", "--config"):
            found.append(value if equals else following)
    return [path for path in found if path]


def read_agent(paths: list[str]) -> Agent:
    """Read an agent's configuration; paths that do not exist are left out.

    Later files win: of two stanzas for one plugin the later one replaces the whole config block.
    (nomad command/agent/config.go LoadConfigDir, nomad/structs/config/plugins.go)

    Args:
        paths: Files, and directories whose files ``*.hcl`` and ``*.json`` are read by name.

    Raises:
        CredentialError: A file cannot be read (fault ``unreadable``), or is not valid (fault ``invalid``).
    """
    files = [file for path in paths for file in _files(path)]
    bodies = {path: _read(path) for path in files}
    enabled = [hcl.last_text(body, "client", "enabled") for body in bodies.values()]
    drivers = [_auth(driver, bodies) for driver in (DOCKER, PODMAN)]
    return Agent(files, "true" in [*filter(None, enabled)][-1:], [auth for auth in drivers if auth])


def _files(path: str) -> list[str]:
    try:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else None
    except OSError as error:
        raise _unreadable(path, error) from None
    if names is None:
        return [path] if os.path.lexists(path) else []
    wanted = [name for name in names if name.endswith((".hcl", ".json")) and not name.startswith((".#", "#"))]
    found = [os.path.join(path, name) for name in wanted]
    return [file for file in found if not os.path.isdir(file)]


def _read(path: str) -> hcl.Body:
    try:
        with open(path, encoding="utf-8") as file:
            return hcl.parse(file.read(LARGEST))
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError as error:
        raise CredentialError(f"{path} is not valid: {error}", "correct the file", fault="invalid") from None


def _unreadable(path: str, error: OSError) -> CredentialError:
    return CredentialError(f"cannot read {path}: {error.strerror}", fault="unreadable")


def _auth(driver: str, bodies: dict[str, hcl.Body]) -> Auth | None:
    stanzas = [
        (path, config)
        for path, body in bodies.items()
        for config in hcl.values(body, "plugin", driver, "config")
        if config
    ]
    if stanzas:
        path, config = stanzas[-1]
        hidden = [file for file, other in stanzas[:-1] if any(hcl.values(other, "auth"))]
        helper, file = (hcl.last_text(config, "auth", key) for key in ("helper", "config"))
        return Auth(driver, path, helper, file, tuple(dict.fromkeys(hidden)))
    for path, body in reversed(bodies.items()):
        helper, file = (
            hcl.last_text(body, "client", "options", f"docker.auth.{key}") for key in ("helper", "config")
        )
        if driver == DOCKER and (helper or file):
            return Auth(driver, path, helper, file)
    return None

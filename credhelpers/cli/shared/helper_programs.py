"""The executables of helpers: found on PATH as Docker finds them, or beside this command, and started."""

import difflib
import os
import sys
from collections.abc import Callable, Iterator
from shlex import quote

from credhelpers.clients.docker_config import DockerConfig
from credhelpers.credential import StoreUnavailable
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper

_SECONDS = 120.0  # for one answer: the user may have to type a passphrase


def helper_for(config: DockerConfig, server: str) -> str:
    """Return the name of the helper that Docker asks about a server; empty when it looks in config.json."""
    return config.helper_for(server, os.environ.get("PATH", ""))


def open_on_path(
    name: str, *, seconds: float = _SECONDS, on_stderr: Callable[[bytes], object] | None = None
) -> ExternalStore:
    """Open the helper that Docker would start.

    Args:
        name: What follows ``docker-credential-``.
        seconds: How long each answer may take.
        on_stderr: Called with what it writes to standard error; without it that goes to our own.

    Raises:
        StoreUnavailable: It is not on PATH.
    """
    return _open(name, find_helper(name, os.environ), seconds, on_stderr)


def open_installed(name: str, on_stderr: Callable[[bytes], object] | None = None) -> ExternalStore:
    """Open a helper that is on PATH, or installed beside this command.

    Raises:
        StoreUnavailable: It is in neither place.
    """
    return _open(name, find_helper(name, os.environ) or helper_beside(name), _SECONDS, on_stderr)


def helper_beside(name: str) -> str | None:
    """Return the path of a helper that is installed beside this command, or None."""
    path = os.path.join(own_directory(), PREFIX + name)
    return path if "/" not in name and os.path.isfile(path) and os.access(path, os.X_OK) else None


def own_directory() -> str:
    """Return the directory of this command."""
    return os.path.dirname(os.path.realpath(sys.argv[0]))


def put_first(path: str) -> str:
    """Return the command after which a helper is found on PATH before any other."""
    return f"export PATH={quote(os.path.dirname(path))}:$PATH"


def near_miss(name: str) -> str:
    """Return a question that suggests the helper of a similar name; empty when there is none."""
    similar = difflib.get_close_matches(name, installed_helpers(), 1)
    return f"did you mean {similar[0]}? else " if similar else ""


def cause_and_remedy(messages: bytes, name: str) -> tuple[str, str]:
    """Return the cause and the remedy that one of our helpers has written; other helpers write neither."""
    lines = messages.decode(errors="replace").splitlines()
    ours = [line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: ")]
    ours = [line for line in ours if not line.startswith("no credentials are stored for ")]
    return (ours[-2], ours[-1]) if len(ours) > 1 else (ours[0] if ours else "", "")


def _open(
    name: str, path: str | None, seconds: float, on_stderr: Callable[[bytes], object] | None
) -> ExternalStore:
    if path is None:
        remedy = f"{near_miss(name)}install it, or name another helper"
        raise StoreUnavailable(f"{PREFIX}{name} is not on PATH", remedy)
    return ExternalStore(path, os.environ, seconds, on_stderr)


def installed_helpers() -> set[str]:
    """Return the names of all helpers that can be started."""
    return set(_names())


def _names() -> Iterator[str]:
    for directory in (own_directory(), *os.environ.get("PATH", os.defpath).split(":")):
        try:
            entries = os.listdir(directory) if os.path.isabs(directory) else []
        except OSError:
            continue
        yield from (entry.removeprefix(PREFIX) for entry in entries if entry.startswith(PREFIX))

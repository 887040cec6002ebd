"""A helper that a command works with: found as Docker would find it, or beside this command, and started."""

import difflib
import os
import sys
from collections.abc import Callable, Iterator

from credhelpers.credential import CredentialError
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper

_SECONDS = 120.0  # for one answer: somebody may have to type a passphrase


def open_store(name: str, on_stderr: Callable[[bytes], object] | None = None) -> ExternalStore:
    """Open a helper that is on PATH, or that is installed beside this command.

    Args:
        name: What follows ``docker-credential-``.
        on_stderr: Is given what it says on stderr; without it that goes to ours.

    Raises:
        CredentialError: It is in neither place.
    """
    executable = find_helper(name, os.environ) or helper_beside(name)
    if executable is None:
        remedy = f"{near_miss(name)}install it, or name another helper"
        raise CredentialError(f"{PREFIX}{name} is not on PATH", remedy)
    return ExternalStore(executable, os.environ, _SECONDS, on_stderr)


def helper_beside(name: str) -> str | None:
    """Return the path of a helper that is installed beside this command; None when it is not."""
    path = os.path.join(directory_of_ours(), PREFIX + name)
    return path if "/" not in name and os.path.isfile(path) and os.access(path, os.X_OK) else None


def directory_of_ours() -> str:
    """Return the directory that this command is in."""
    return os.path.dirname(os.path.realpath(sys.argv[0]))


def near_miss(name: str) -> str:
    """Return the question that asks for the helper of a similar name; empty when there is none."""
    similar = difflib.get_close_matches(name, list(_names()), 1)
    return f"did you mean {similar[0]}? else " if similar else ""


def _names() -> Iterator[str]:
    """Yield the names of all helpers that could be started."""
    for directory in (directory_of_ours(), *os.environ.get("PATH", os.defpath).split(":")):
        try:
            entries = os.listdir(directory) if os.path.isabs(directory) else []
        except OSError:
            continue
        yield from (entry.removeprefix(PREFIX) for entry in entries if entry.startswith(PREFIX))

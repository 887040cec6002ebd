"""A helper that a command works with, started as Docker would start it."""

import os
import sys
from collections.abc import Callable

from credhelpers.credential import CredentialError
from credhelpers.stores.external import PREFIX, ExternalStore, find_helper

_SECONDS = 120.0  # for one answer: somebody may have to type a passphrase


def open_store(name: str, hear: Callable[[bytes], object] | None = None) -> ExternalStore:
    """Open a helper that is on PATH, or that is installed beside this command.

    Args:
        name: What follows ``docker-credential-``.
        hear: Is given what it says on stderr; without it that goes to ours.

    Raises:
        CredentialError: It is in neither place.
    """
    beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), PREFIX + name)
    executable = find_helper(name, os.environ) or (beside if os.access(beside, os.X_OK) else None)
    if executable is None:
        raise CredentialError(f"{PREFIX}{name} is not on PATH", "install it, or name another helper")
    return ExternalStore(executable, os.environ, _SECONDS, hear)

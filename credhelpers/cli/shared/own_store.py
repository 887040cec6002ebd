"""Our own helpers called in this process: for a thousand credentials, not for one.

To start a process for each takes most of the time. The executable answers the first look-up, as it will
answer Docker's. What fails or is unusual is asked of it again: then the words are those that Docker shows.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from credhelpers import paths
from credhelpers.cli.shared.helper_programs import helper_beside
from credhelpers.config import load
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound
from credhelpers.log import Log
from credhelpers.stores.auto.external import PREFIX, ExternalStore
from credhelpers.suite import AUTO, HELPERS, STORES

if TYPE_CHECKING:
    from credhelpers.store import Store

_LONGEST = 4096  # characters of what is usual
_T = TypeVar("_T")


def without_processes(store: "Store") -> "Store":
    """Return a store that is called in this process, if it is one of ours; else the store itself."""
    if not isinstance(store, ExternalStore):
        return store
    name = store.name.removeprefix(PREFIX)
    ours = helper_beside(name)
    if name in STORES and ours and os.path.samefile(ours, store.executable):
        return _OwnStore(name, store)
    return store


def has_one_place(store: "Store") -> bool:
    """Return whether a store is known to keep the credentials of all servers in one place."""
    return isinstance(store, _OwnStore) and store.name != AUTO.name


class _OwnStore:
    """A helper of the suite.

    Args:
        name: What follows ``docker-credential-``.
        executable: The same, started as Docker starts it.
    """

    def __init__(self, name: str, executable: ExternalStore) -> None:
        self.name = name
        self._executable = executable
        self._has_answered = False
        self._opened: Store | None = None
        self._log: Log | None = None

    def list(self) -> dict[str, str]:
        return self._executable.list()

    def get(self, server: str) -> Credential:
        credential = self._call(lambda store: store.get(server))
        if self._has_answered and _is_usual(server, credential):
            return credential
        credential = self._executable.get(server)
        self._has_answered = True
        return credential

    def store(self, server: str, credential: Credential) -> None:
        if _is_usual(server, credential):
            self._call(lambda store: store.store(server, credential), "Stored credentials", server)
        else:
            self._executable.store(server, credential)

    def erase(self, server: str) -> None:
        self._call(lambda store: store.erase(server), "Erased credentials", server)

    def _call(self, work: "Callable[[Store], _T]", message: str = "", server: str = "") -> _T:
        """Let the store work in this process and log that, or else the executable, which logs itself."""
        try:
            result = work(self._open())
        except CredentialsNotFound as missing:
            if not missing.cause:
                raise
        except (CredentialError, OSError):
            pass
        else:
            if self._log and message:
                self._log.info(message, serverURL=server)
            return result
        return work(self._executable)

    def _open(self) -> "Store":
        if self._opened is None:
            settings = load(os.environ)
            self._log = Log(self.name, paths.state_directory(os.environ), settings)
            self._opened = HELPERS[self.name].open(os.environ, settings, self._log)
        return self._opened


def _is_usual(server: str, credential: Credential) -> bool:
    """Return whether nothing in this can be what the protocol refuses or repairs."""
    texts = (server, credential.username, credential.secret)
    return server == server.strip() and all(
        0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() for text in texts
    )

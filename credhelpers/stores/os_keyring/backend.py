"""Credentials through a backend of the ``keyring`` package: macOS, Windows, KWallet and third parties.

An entry's service is the server URL, its username the username. A backend can neither be asked for all its
entries nor, some of them, for an entry without its username, so an index entry in the same keyring has both.
"""

import os
import sys
from contextlib import contextmanager

from credhelpers import files, paths
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound, StoreUnavailable
from credhelpers.servers import candidate_keys
from credhelpers.stores.listing import listable, skip
from credhelpers.stores.os_keyring.index import read_index, write_index
from credhelpers.stores.os_keyring.parts import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credhelpers.stores.os_keyring.parts import Backend

_LOCK_SECONDS = 20.0
_WINDOWS_LONGEST = 1280
"""UTF-16 code units: CRED_MAX_CREDENTIAL_BLOB_SIZE is 2,560 bytes (wincred.h), and keyring writes UTF-16."""

_NEVER_BY_ITSELF = tuple("keyring.backends." + name for name in ("SecretService", "chainer", "libsecret"))
"""What speaks to the Secret Service; when others are looked for, that is not there."""


class BackendStore:
    """Credentials in one backend.

    Args:
        backend: A backend of the ``keyring`` package.
        lock: A file on which the processes of this user take turns: a backend may rewrite a whole file for
            one entry, and so does the index. None to go without.
        longest: The longest value that the backend takes, in UTF-16 code units; None for no limit.
    """

    def __init__(self, backend: "Backend", lock: str | None, longest: int | None = None) -> None:
        self._entries = Parts(backend, longest)
        self._lock = lock

    def get(self, server: str) -> Credential:
        """Return the credential for a server, its other spellings included (`candidate_keys`).

        Raises:
            CredentialsNotFound: There is none.
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._turn():
            index = read_index(self._entries)
            for key in candidate_keys(server):
                credential = self._read(key, index.get(key))
                if credential is not None:
                    self._note(index, key, credential.username)
                    return credential
        raise CredentialsNotFound

    def store(self, server: str, credential: Credential) -> None:
        """Keep a credential for a server in place of any older one.

        Raises:
            StoreUnavailable: The keyring is locked or fails; what was there stands.
        """
        with self._turn():
            index = read_index(self._entries)
            older = self._entries.username(server, index.get(server))
            self._entries.write(server, credential.username, credential.secret)
            self._note(index, server, credential.username)
            if older is not None and older != credential.username:
                self._entries.delete(server, older)

    def erase(self, server: str) -> None:
        """Forget all entries of exactly this server.

        Raises:
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._turn():
            index = read_index(self._entries)
            if server in index:
                self._entries.delete(server, index[server])
            while (username := self._entries.username(server, None)) is not None:
                self._entries.delete(server, username)
            if index.pop(server, None) is not None:
                write_index(self._entries, index)

    def list(self) -> dict[str, str]:
        """Return the username of each server; what others deleted is taken off the index.

        An entry that is damaged, or that no client could take, is named on standard error.

        Raises:
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._turn():
            index = read_index(self._entries)
            present: dict[str, str] = {}
            damaged: dict[str, str] = {}
            for server, username in index.items():
                try:
                    credential = self._read(server, username)
                except StoreUnavailable as damage:
                    skip("the keyring", server, damage.cause)
                    damaged[server] = username
                    continue
                if credential is not None:
                    present[server] = credential.username
            if present | damaged != index:
                write_index(self._entries, present | damaged)
            return listable(present.items(), "the keyring")

    def _read(self, server: str, username: str | None) -> Credential | None:
        if username is not None:
            secret = self._entries.read(server, username)
            if secret is not None:
                return Credential(username, secret)
        found = self._entries.find(server)
        return None if found is None else Credential(*found)

    def _note(self, index: dict[str, str], server: str, username: str) -> None:
        if index.get(server) != username:
            index[server] = username
            write_index(self._entries, index)

    @contextmanager
    def _turn(self) -> "Iterator[None]":
        """Take turns with other processes, and word what the backend raises."""
        try:
            if self._lock is None:
                yield
            else:
                files.make_private_directory(os.path.dirname(self._lock))
                with files.Lock(self._lock, _LOCK_SECONDS):
                    yield
        except CredentialError:
            raise
        except Exception as error:  # noqa: BLE001  third parties raise whatever they like
            raise _worded(error) from None


def open_configured_backend(environ: "Mapping[str, str]") -> BackendStore:
    """Return the backend that the user named to the ``keyring`` package, or else its own choice.

    Raises:
        StoreUnavailable: There is none, or it cannot be used here.
    """
    _forbid_autolaunch(environ)
    import keyring

    try:
        backend = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001  a wrong name raises anything from ImportError to ValueError
        named = environ.get("PYTHON_KEYRING_BACKEND") or "that keyringrc.cfg names"
        raise StoreUnavailable(
            f"the keyring backend {named} cannot be used: {_first_line(error)}",
            "correct PYTHON_KEYRING_BACKEND or keyringrc.cfg, or install the package that has the backend",
        ) from None
    if type(backend).__module__ == "keyring.backends.null":  # it takes whatever it is given, and forgets it
        raise StoreUnavailable(
            "the keyring is disabled", "remove the null backend from keyringrc.cfg or PYTHON_KEYRING_BACKEND"
        )
    return _store(backend, environ)


def open_other_backend(environ: "Mapping[str, str]") -> BackendStore | None:
    """Return the best installed backend that is no Secret Service; None when there is none.

    Backends of a priority below 1, which keyring does not recommend, such as files in plain text, are
    used only where the user names them.
    """
    _forbid_autolaunch(environ)
    from keyring.backend import get_all_keyring

    others = [
        backend
        for backend in get_all_keyring()
        if backend.priority >= 1 and type(backend).__module__ not in _NEVER_BY_ITSELF
    ]
    return _store(max(others, key=lambda backend: backend.priority), environ) if others else None


def _store(backend: "Backend", environ: "Mapping[str, str]") -> BackendStore:
    state = paths.state_directory(environ)
    lock = os.path.join(state, "keyring.lock") if state else None
    longest = _WINDOWS_LONGEST if type(backend).__module__ == "keyring.backends.Windows" else None
    return BackendStore(backend, lock, longest)


def _forbid_autolaunch(environ: "Mapping[str, str]") -> None:
    """Keep libdbus, which KWallet's backend uses, from starting a bus where there is none."""
    if sys.platform == "linux" and not environ.get("DBUS_SESSION_BUS_ADDRESS"):
        runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime}/bus"


def _worded(error: Exception) -> StoreUnavailable:
    """Say what a backend raised; only keyring's own errors are known to hold no secret."""
    from keyring.errors import KeyringError, KeyringLocked, NoKeyringError

    if isinstance(error, KeyringLocked):
        return StoreUnavailable(f"the keyring is locked: {_first_line(error)}", "unlock it and try again")
    if isinstance(error, NoKeyringError):
        return StoreUnavailable(
            "there is no keyring here that can be used", "install a backend, or use docker-credential-pass"
        )
    if isinstance(error, KeyringError | OSError):
        return StoreUnavailable(f"the keyring failed: {_first_line(error)}")
    return StoreUnavailable(f"the keyring failed: {type(error).__name__}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__

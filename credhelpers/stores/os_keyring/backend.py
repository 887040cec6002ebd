"""Credentials through a backend of the ``keyring`` package: KWallet, and whatever third parties offer.

An entry's service is the server URL, its username the username. A backend cannot list its entries, and some
cannot find an entry without its username, so an index entry in the same keyring has both.
"""

import json
import os
from contextlib import contextmanager

from credhelpers import files, paths
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound, StoreUnavailable
from credhelpers.locks import Lock
from credhelpers.process import quoted
from credhelpers.servers import candidate_keys
from credhelpers.stores.listing import listable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyring.backend import KeyringBackend

_LOCK_SECONDS = 20.0
_INDEX = ("credhelpers: servers and usernames", "index")  # service and username
_EMPTY = "credhelpers: empty\n"  # stands for an empty secret, which some backends do not keep

_NEVER_BY_ITSELF = tuple("keyring.backends." + name for name in ("SecretService", "chainer", "libsecret"))
"""Backends that use the Secret Service; other backends are looked for only when there is none."""


class BackendStore:
    """Credentials in one backend.

    Args:
        backend: A backend of the ``keyring`` package.
        lock: A file that this user's processes lock in turn: a backend may rewrite a whole file for one
            entry, and so does the index. None for no lock.
    """

    def __init__(self, backend: "KeyringBackend", lock: str | None) -> None:
        self._backend = backend
        self._lock = lock

    def get(self, server: str) -> Credential:
        """Return the credential for a server, its other spellings included (`candidate_keys`).

        Raises:
            CredentialsNotFound: There is none.
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._locked():
            index = self._read_index()
            for key in candidate_keys(server):
                credential = self._read(key, index.get(key))
                if credential is not None:
                    self._write_index(index, {**index, key: credential.username})
                    return credential
        raise CredentialsNotFound

    def store(self, server: str, credential: Credential) -> None:
        """Keep a credential for a server in place of any older one.

        Raises:
            StoreUnavailable: The keyring is locked or fails; the old credential stands.
        """
        with self._locked():
            index = self._read_index()
            older = self._read(server, index.get(server))
            self._backend.set_password(server, credential.username, credential.secret or _EMPTY)
            self._write_index(index, {**index, server: credential.username})
            if older is not None and older.username != credential.username:
                self._backend.delete_password(server, older.username)

    def erase(self, server: str) -> None:
        """Forget all entries of exactly this server.

        Raises:
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._locked():
            index = self._read_index()
            while (credential := self._read(server, index.get(server))) is not None:
                self._backend.delete_password(server, credential.username)
            self._write_index(index, {key: index[key] for key in index if key != server})

    def list(self) -> dict[str, str]:
        """Return the username of each server; entries that others deleted are removed from the index.

        Raises:
            StoreUnavailable: The keyring is locked or fails.
        """
        with self._locked():
            index = self._read_index()
            found = ((server, self._read(server, username)) for server, username in index.items())
            present = {server: credential.username for server, credential in found if credential is not None}
            self._write_index(index, present)
            return listable(present.items(), "the keyring")

    def _read(self, server: str, username: str | None) -> Credential | None:
        """Return the entry of a username; without one, or where it is gone, any entry that can be found."""
        secret = None if username is None else self._backend.get_password(server, username)
        if username is None or secret is None:
            found = self._backend.get_credential(server, None)
            if found is None:
                return None
            username, secret = found.username, found.password
        return Credential(username, "" if secret == _EMPTY else secret)

    def _read_index(self) -> dict[str, str]:
        """Return the username of each server; empty when the index is missing or damaged, as it is repaired.

        Names that no client could take are left out and named on standard error.
        """
        try:
            index = json.loads(self._backend.get_password(*_INDEX) or "{}")
        except ValueError:
            return {}
        return listable(index.items(), "the keyring's index") if isinstance(index, dict) else {}

    def _write_index(self, old: dict[str, str], new: dict[str, str]) -> None:
        """Write the index, which holds no secret, if it has changed; an empty one is deleted."""
        if new and new != old:
            content = json.dumps(new, ensure_ascii=False, separators=(",", ":"))
            self._backend.set_password(*_INDEX, content)
        elif not new and self._backend.get_password(*_INDEX) is not None:
            self._backend.delete_password(*_INDEX)

    @contextmanager
    def _locked(self) -> "Iterator[None]":
        """Hold the lock, and turn what the backend raises into our own errors."""
        try:
            if self._lock is None:
                yield
            else:
                files.make_private_directory(os.path.dirname(self._lock))
                with Lock(self._lock, _LOCK_SECONDS):
                    yield
        except CredentialError:
            raise
        except Exception as error:  # noqa: BLE001  third parties raise whatever they like
            raise _worded(error) from None


def open_configured_backend(environ: "Mapping[str, str]", configuration: str) -> BackendStore:
    """Return the backend that the user named to the ``keyring`` package, or else its own choice.

    Args:
        environ: The client's environment.
        configuration: The path of the package's own configuration.

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
            f"install the package that has the backend; or {_another(environ, configuration)}",
            fault="unusable",
        ) from None
    if type(backend).__module__ == "keyring.backends.null":  # it accepts every entry and keeps none
        raise StoreUnavailable(
            "the keyring is disabled",
            _another(environ, configuration),
            fault="disabled",
        )
    return _store(backend, environ)


def open_other_backend(environ: "Mapping[str, str]") -> BackendStore | None:
    """Return the best installed backend that does not use the Secret Service; None when there is none.

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


def _another(environ: "Mapping[str, str]", configuration: str) -> str:
    """Return the command that lets the default backend be used."""
    if environ.get("PYTHON_KEYRING_BACKEND"):
        return "use the default keyring: unset PYTHON_KEYRING_BACKEND"
    return f"use the default keyring: sed -i.bak '/^default-keyring/d' {quoted(configuration)}"


def _store(backend: "KeyringBackend", environ: "Mapping[str, str]") -> BackendStore:
    state = paths.state_directory(environ)
    return BackendStore(backend, os.path.join(state, "keyring.lock") if state else None)


def _forbid_autolaunch(environ: "Mapping[str, str]") -> None:
    """Keep libdbus, which KWallet's backend uses, from starting a bus where there is none."""
    if not environ.get("DBUS_SESSION_BUS_ADDRESS"):
        runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime}/bus"


def _worded(error: Exception) -> StoreUnavailable:
    """Return what a backend raised as our own error; only keyring's errors are known to hold no secret."""
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

"""Credentials in the password store of pass(1), in the files that docker-credential-helpers keeps there."""

import errno
import os
import stat

from credhelpers import paths
from credhelpers.credential import Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.servers import candidate_keys
from credhelpers.stores.listing import listable, skip
from credhelpers.stores.password_store import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.stores.password_store.entries import Entry

_TRIES = 100  # to open an entry that other processes keep replacing


class PasswordStore:
    """The store behind ``docker-credential-pass``.

    Args:
        environ: The client's environment, with pass's own variables in it.

    Raises:
        StoreUnavailable: There is no home directory to look in.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._environ = environ
        self._directory = store_directory(environ)
        self._folder = os.path.join(self._directory, entries.FOLDER)

    def get(self, server: str) -> Credential:
        """Return the credential for a server.

        Raises:
            CredentialsNotFound: Neither its key nor another spelling of it is stored.
            StoreUnavailable: The store cannot be read, or gpg cannot decrypt the secret.
        """
        for key in candidate_keys(server):
            opened = self._open(key)
            if opened is not None:
                return self._decrypt(*opened)
        if not self._has_folder() and not self.is_initialised():
            from credhelpers.stores.password_store import faults

            raise CredentialsNotFound(*faults.uninitialised(self._directory))
        raise CredentialsNotFound

    def _names(self) -> list[str]:
        """Return the names of all servers' folders."""
        try:
            return os.listdir(self._folder)
        except FileNotFoundError:
            if not self._has_folder():
                self.is_initialised()  # raises when the store cannot be read
            return []
        except OSError as error:
            raise self._unreadable(error) from None

    def list(self) -> dict[str, str]:
        """Return the username of each server, sorted by server.

        Damaged entries and those that no client could ask for are named on standard error instead.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        found = []
        for name in self._names():
            server = entries.server_of(name)
            if server is None:
                continue
            try:
                entry = self._entry(f"{self._folder}/{name}")
            except (OSError, StoreUnavailable) as error:
                fault = error.cause if isinstance(error, StoreUnavailable) else str(error.strerror or error)
                skip("the password store", server, fault)
                continue
            if entry:
                found.append((server, entry.username))
        return listable(sorted(found), "the password store")

    def store(self, server: str, credential: Credential) -> None:
        """Encrypt a credential and replace the server's entry with it.

        Raises:
            BadRequest: The server URL or the username cannot be a file name.
            StoreUnavailable: The store is not initialised, gpg cannot encrypt, or the disk cannot be written.
        """
        from credhelpers.stores.password_store import changes

        changes.put(self._directory, server, credential, self._environ)

    def erase(self, server: str) -> None:
        """Remove the entries of exactly this key.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        from credhelpers.stores.password_store import changes

        changes.remove(self._directory, server, self._environ)

    def _open(self, server: str) -> "tuple[Entry, int] | None":
        """Open the newest entry of exactly this key; None when it has none."""
        folder = f"{self._folder}/{entries.folder_name(server)}"
        try:
            for _ in range(_TRIES):
                entry = self._entry(folder)
                if entry is None:
                    return None
                try:
                    return entry, os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                except FileNotFoundError:
                    continue  # another username has just replaced it
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG and not entries.is_there(folder):
                return None  # nothing can be stored under it
            raise self._unreadable(error) from None
        raise StoreUnavailable(f"cannot read the password store: {folder} keeps changing", "try again")

    def _entry(self, folder: str) -> "Entry | None":
        """Return the newest entry of a folder, also while other processes change it."""
        entry = entries.newest_entry(folder)
        if entry is not None or not entries.is_there_to_read(folder):
            return entry
        # While one username replaces another, a reader may miss both.
        with entries.lock(self._folder):
            return entries.newest_entry(folder)

    def _decrypt(self, entry: "Entry", descriptor: int) -> Credential:
        from credhelpers.stores.password_store.encryption import decrypt
        from credhelpers.stores.password_store.gpg import Gpg

        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                from credhelpers.stores.password_store import faults

                raise faults.no_entry(entry.path, "is not a regular file", entries.login_again(entry.path))
            content = decrypt(Gpg(self._environ), descriptor, entry.path)
        finally:
            os.close(descriptor)
        try:
            return Credential(entry.username, content.decode().rstrip("\r\n"))
        except UnicodeDecodeError:
            raise StoreUnavailable(
                f"{entry.path} is not UTF-8 text",
                f"store the credentials again: {entries.login_again(entry.path)}",
            ) from None

    def is_initialised(self) -> bool:
        """Return whether there is a key to encrypt for, and so a password store.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        if self._environ.get("PASSWORD_STORE_KEY"):
            return True
        try:
            return entries.is_there_to_read(self._directory) and entries.is_there(
                f"{self._directory}/.gpg-id"
            )
        except OSError as error:
            raise self._unreadable(error) from None

    def _has_folder(self) -> bool:
        try:
            return entries.is_there_to_read(self._folder)
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> StoreUnavailable:
        from credhelpers.stores.password_store import faults

        return faults.unreadable(error, self._directory)


class NoHomeDirectory(StoreUnavailable):
    """There is no home directory for a password store."""


def store_directory(environ: "Mapping[str, str]") -> str:
    """Return the directory of the password store, whether it exists or not.

    Raises:
        NoHomeDirectory: ``PASSWORD_STORE_DIR`` is not set, and there is no home directory.
    """
    named = environ.get("PASSWORD_STORE_DIR")
    if named:
        return os.path.abspath(named)
    home = paths.home_directory(environ)
    if home is None:
        raise NoHomeDirectory(
            "there is no home directory, so no password store",
            "set HOME or PASSWORD_STORE_DIR",
            fault="no-home",
        )
    return f"{home}/.password-store"

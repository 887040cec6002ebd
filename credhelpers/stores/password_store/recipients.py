"""Which keys the password store encrypts for, by pass's own rules (password-store.sh, set_gpg_recipients)."""

import os

from credhelpers import files
from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store import faults
from credhelpers.stores.password_store.entries import is_there_to_read, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.stores.password_store.gpg import Gpg

_LONGEST = 1 << 16  # bytes of a list of keys
_ANOTHER = "credhelpers init pass --force --key <your GPG key>"


class Recipients:
    """The keys for which an entry is encrypted.

    Attributes:
        keys: As the user names them.
        change: The command, or the words, that name other keys.
    """

    __slots__ = ("change", "keys")

    def __init__(self, keys: list[str], change: str) -> None:
        self.keys = keys
        self.change = change


def recipients(directory: str, folder: str, gpg: "Gpg", environ: "Mapping[str, str]") -> Recipients:
    """Return the keys for which an entry is encrypted.

    Args:
        directory: The password store.
        folder: The folder of the entry, below it; it need not exist.
        gpg: Verifies the list of keys where the user wants it signed.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        StoreUnavailable: The store names no keys, its list cannot be read or trusted, or has no valid
            signature where one is required.
    """
    keys = environ.get("PASSWORD_STORE_KEY", "").split()
    if keys:
        return Recipients(keys, "set PASSWORD_STORE_KEY to <your GPG key>")
    try:
        found = nearest(directory, folder, ".gpg-id")
        if found is None:
            is_there_to_read(directory)  # raises when the directory cannot be looked at
    except OSError as error:
        raise faults.unreadable(error, directory) from None
    if found is None:
        raise StoreUnavailable(*faults.uninitialised(directory), fault="not-initialised")
    path = f"{found}/.gpg-id"
    change = _ANOTHER if found == directory else f"echo <your GPG key> > {quoted(path)}"
    content = read_key_list(path, environ)
    signing_keys = environ.get("PASSWORD_STORE_SIGNING_KEY", "").split()
    if signing_keys:
        from credhelpers.stores.password_store.signature import verify

        verify(path, content, gpg, signing_keys)
    keys = keys_in(content)
    if not keys:
        raise StoreUnavailable(f"{path} does not name a key", f"name one: {change}", fault="gpg-id-empty")
    return Recipients(keys, change)


def keys_in(content: bytes) -> list[str]:
    """Return the keys that a list names, one a line; ``#`` starts a comment."""
    lines = content.decode(errors="replace").splitlines()
    return [key for line in lines if (key := line.partition("#")[0].strip())]


def read_key_list(path: str, environ: "Mapping[str, str]") -> bytes:
    """Return the content of a ``.gpg-id``, which decides who can read the secrets.

    Args:
        path: The file, which exists.
        environ: ``PASSWORD_STORE_UMASK`` says whether the user's group shares the store.

    Raises:
        StoreUnavailable: It cannot be read, or is not a regular file, or others may write to it.
    """
    try:
        content = files.read_regular(path, _LONGEST, lambda _, status: _check_trust(path, status, environ))
    except files.Untrusted as error:
        raise _irregular(path, str(error)) from None
    except FileNotFoundError:
        raise _irregular(path, f"{path} is a broken symbolic link") from None
    except OSError as error:
        raise faults.unreadable(error, os.path.dirname(path)) from None
    if b"\0" in content:
        raise _irregular(path, f"{path} contains a NUL character")
    return content


def _check_trust(path: str, status: os.stat_result, environ: "Mapping[str, str]") -> None:
    """Refuse a list that others may write to, unless the user's umask for the store says that they may."""
    shared = ~umask(environ) & 0o020  # on purpose, with the group
    if status.st_uid not in (0, os.geteuid()) and not shared:
        copy = quoted(path + ".own")
        raise StoreUnavailable(
            f"{path} belongs to another user, who can choose who decrypts",
            f"check the keys in it, then make it yours: cp {quoted(path)} {copy} && "
            f"mv -f {copy} {quoted(path)}",
            fault="gpg-id-foreign",
        )
    directory = os.path.dirname(path)
    for place, mode in ((path, status.st_mode), (directory, os.stat(directory).st_mode)):
        if mode & 0o022 & ~shared:
            raise StoreUnavailable(
                f"other users may write to {place}, so they can choose who decrypts",
                f"check the keys in {path}, then: chmod go-w {quoted(place)}",
                fault="gpg-id-writable-by-others",
            )


def umask(environ: "Mapping[str, str]") -> int:
    """Return the permissions that new files of the store do not get.

    Raises:
        StoreUnavailable: ``PASSWORD_STORE_UMASK`` is not an octal number.
    """
    named = environ.get("PASSWORD_STORE_UMASK") or "077"
    try:
        return int(named, 8) & 0o777
    except ValueError:
        raise StoreUnavailable(
            f"PASSWORD_STORE_UMASK is not an octal number: {named}",
            "use one such as 077: export PASSWORD_STORE_UMASK=077",
            fault="invalid-umask",
        ) from None


def _irregular(path: str, cause: str) -> StoreUnavailable:
    again = "credhelpers init pass --key <your GPG key>"
    return StoreUnavailable(
        cause,
        f"move it away and make a new one: mv {quoted(path)} {quoted(path + '.old')} && {again}",
        fault="gpg-id-invalid",
    )

"""Which file of the password store belongs to which server URL and username.

The layout is that of docker-credential-helpers (pass/pass.go):
``docker-credential-helpers/<base64url of the server URL>/<username>.gpg`` below the password store.
"""

import binascii
import errno
import os

from credhelpers.credential import BadRequest
from credhelpers.servers import flaw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.locks import Lock

FOLDER = "docker-credential-helpers"
SUFFIX = ".gpg"
LOCK_SECONDS = 30.0
"""How long to wait for another process that changes the store; its git hooks may be slow."""
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Entry:
    """One stored credential: its username and the file that holds its secret."""

    __slots__ = ("path", "username")

    def __init__(self, username: str, path: str) -> None:
        self.username = username
        self.path = path


def folder_name(server: str) -> str:
    """Return the name of the folder that keeps a server's credentials."""
    return binascii.b2a_base64(server.encode(), newline=False).translate(_TO_URL_SAFE).decode()


def server_of(name: str) -> str | None:
    """Return the server URL that a folder is named for, or None when it is not a server's folder."""
    try:
        server = binascii.a2b_base64(name.encode().translate(_FROM_URL_SAFE)).decode()
    except ValueError:
        return None
    return server if server and folder_name(server) == name else None


def file_name(username: str) -> str:
    """Return the path, below the server's folder, of the file that keeps a username's secret.

    Raises:
        BadRequest: The file would be outside that folder or be another username's.
    """
    *folders, name = username.split("/")
    if name in ("", ".", "..") or any(folder in ("", ".", "..") for folder in folders):
        raise BadRequest("the password store cannot keep the username: it has an empty, . or .. part")
    if any(folder.endswith(SUFFIX) for folder in folders):
        raise BadRequest(f"the password store cannot keep the username: a folder in it ends with {SUFFIX}")
    return os.fsdecode(username.encode()) + SUFFIX  # UTF-8 on disk, whatever the locale says


def lock(folder: str) -> "Lock":
    """Return the lock to hold for any change below ``docker-credential-helpers``.

    Args:
        folder: That folder, or a symbolic link to it.
    """
    from credhelpers.locks import Lock

    return Lock(os.path.realpath(folder), LOCK_SECONDS)


def login_again(path: str) -> str:
    """Return the command that stores the credentials of an entry again.

    Args:
        path: The entry; for another file the command does not name the server.
    """
    from credhelpers.process import quoted

    server = server_of(path.rpartition(f"/{FOLDER}/")[2].partition("/")[0])
    return f"docker login {quoted(server)}" if server else "docker login"


def newest_entry(folder: str) -> Entry | None:
    """Return the entry of a server's folder that was written last, or None when there is none.

    The reference helper leaves a server's former username in place beside the new one.

    Raises:
        OSError: The folder cannot be read.
        StoreUnavailable: It has no entry, only something in the place of one, such as a directory.
    """
    entries, damaged = entries_below(folder)
    if not entries and damaged:
        from credhelpers.stores.password_store import faults

        path, fault = damaged[0]
        raise faults.no_entry(path, fault, login_again(path))
    if not entries:
        return None
    return entries[0] if len(entries) == 1 else max(entries, key=_written)


def _written(entry: Entry) -> tuple[int, str]:
    try:
        return os.lstat(entry.path).st_mtime_ns, entry.username
    except FileNotFoundError:  # another username has just replaced it
        return 0, entry.username


def entries_below(folder: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Return a server's entries, and the paths that should be entries and are not, with the reasons.

    Raises:
        OSError: The folder, or one within it, cannot be read.
    """
    entries: list[Entry] = []
    faults: list[tuple[str, str]] = []
    folders = [(folder, "")]
    while folders:  # not recursive: a path may have some 2,000 folders
        place, prefix = folders.pop()
        for item in _items(place, is_deep=bool(prefix)):
            name = item.name
            if item.is_dir(follow_symlinks=False):
                folders.append((item.path, f"{prefix}{name}/"))
                if name.endswith(SUFFIX):
                    faults.append((item.path, "is a directory, and should be an encrypted file"))
            elif name.endswith(SUFFIX) and name != SUFFIX:
                username = _text(prefix + name[: -len(SUFFIX)])
                fault = _fault(item, username)
                if fault:
                    faults.append((item.path, fault))
                elif username:
                    entries.append(Entry(username, item.path))
    return entries, faults


def _items(folder: str, *, is_deep: bool) -> "list[os.DirEntry[str]]":
    """Return the content of a folder; empty when it does not exist or its path is too long."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG and is_deep:
            return []
        raise


def _fault(item: "os.DirEntry[str]", username: str | None) -> str:
    """Return why a directory entry cannot be read as a credential; empty when it can."""
    if username is None:
        return "has a name that is not UTF-8"
    if flaw(username):
        return f"has a name that {flaw(username)}"
    try:
        is_file = item.is_file()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if is_file:
        return ""
    return "is a broken symbolic link" if item.is_symlink() else "is not a regular file"


def _text(name: str) -> str | None:
    """Return a file name decoded as UTF-8; None when it is not UTF-8."""
    if name.isascii():
        return name
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        return None


def is_there(path: str) -> bool:
    """Return whether a path exists; an error other than "not found" is raised, not taken for absence.

    Raises:
        OSError: It cannot be looked at: no permission, for example, or the disk fails.
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # nothing can have such a name
            raise
        return False
    return True


def is_there_to_read(path: str) -> bool:
    """Return the same for a directory, or for the target of a link to it.

    Raises:
        OSError: As for `is_there`; and when the link is broken, as when a disk is not mounted.
    """
    try:
        os.stat(path)
    except FileNotFoundError:
        if is_there(path):
            raise OSError(errno.ELOOP, "broken symbolic link", path) from None
        return False
    return True


def nearest(directory: str, folder: str, name: str) -> str | None:
    """Return the first folder, from one of the store upwards to the store itself, that contains a name.

    Raises:
        OSError: It cannot be looked at.
    """
    while not is_there(f"{folder}/{name}"):
        parent = os.path.dirname(folder)
        if folder in (directory, parent):
            return None
        folder = parent
    return folder

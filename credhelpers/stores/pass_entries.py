"""Where the password store keeps credentials: which file belongs to which server URL and username.

The form is docker-credential-helpers' (pass/pass.go):
``docker-credential-helpers/<base64url of the server URL>/<username>.gpg`` below the password store.
"""

import binascii
import os

from credhelpers import files
from credhelpers.credential import BadRequest

FOLDER = "docker-credential-helpers"
SUFFIX = ".gpg"
LOCK_SECONDS = 30.0
"""How long to wait for another process that changes the store; its git hooks may take their time."""
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
    """Return the server URL for which a folder has its name, or None when the folder is somebody else's."""
    try:
        server = binascii.a2b_base64(name.encode().translate(_FROM_URL_SAFE)).decode()
    except ValueError:
        return None
    return server if server and folder_name(server) == name else None


def file_name(username: str) -> str:
    """Return the path, below the server's folder, of the file that keeps a username's secret.

    Raises:
        BadRequest: The username would lead out of that folder or collide with another one's file.
    """
    *folders, name = username.split("/")
    if name in ("", ".", "..") or any(folder in ("", ".", "..") for folder in folders):
        raise BadRequest(
            "the username cannot be kept in the password store: it is a path with an empty, . or .. part"
        )
    if any(folder.endswith(SUFFIX) for folder in folders):
        raise BadRequest(f"the username cannot be kept in the password store: {SUFFIX} stands before a slash")
    return os.fsdecode(username.encode()) + SUFFIX  # UTF-8 on disk, whatever the locale says


def lock(folder: str) -> files.Lock:
    """Return the lock that whoever changes anything below ``docker-credential-helpers`` holds.

    Args:
        folder: That folder, or a symbolic link to it.
    """
    return files.Lock(os.path.realpath(folder), LOCK_SECONDS)


def newest_entry(folder: str) -> Entry | None:
    """Return the entry of a server's folder that was written last, or None when there is none.

    The reference helper leaves a server's former username in place beside the new one.

    Raises:
        OSError: The folder cannot be read.
    """
    entries = entries_below(folder)
    if len(entries) < 2:
        return entries[0] if entries else None
    return max(entries, key=lambda entry: (_written(entry.path), entry.username))


def _written(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except FileNotFoundError:  # another username has just taken its place
        return 0


def entries_below(folder: str, prefix: str = "") -> list[Entry]:
    """Return all entries of a server's folder; none when there is no such folder."""
    entries = []
    try:
        with os.scandir(folder) as found:
            for item in found:
                name = item.name
                if item.is_dir(follow_symlinks=False):
                    entries += entries_below(item.path, f"{prefix}{name}/")
                elif name.endswith(SUFFIX) and name != SUFFIX:
                    username = _text(prefix + name[: -len(SUFFIX)])
                    if username is not None:
                        entries.append(Entry(username, item.path))
    except (FileNotFoundError, NotADirectoryError):
        pass
    return entries


def _text(name: str) -> str | None:
    """Return a name of the file system as the UTF-8 that it is on disk; None when it is none."""
    if name.isascii():
        return name
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        return None


def nearest(directory: str, folder: str, name: str) -> str | None:
    """Return the first folder, from one of the store upwards to the store itself, that holds a name."""
    while not os.path.lexists(f"{folder}/{name}"):
        parent = os.path.dirname(folder)
        if folder in (directory, parent):
            return None
        folder = parent
    return folder


def uninitialised(directory: str) -> tuple[str, str]:
    """Return the cause and the remedy for a directory that is no password store."""
    return f"there is no password store in {directory}", "make one: credhelpers init pass"

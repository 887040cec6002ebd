"""Why the password store cannot be read or written, and the command that corrects it."""

import errno
import os

from credhelpers.credential import BadRequest, StoreUnavailable
from credhelpers.process import quoted

_LINK = "correct that symbolic link, or mount the disk that it points to"


def uninitialised(directory: str) -> tuple[str, str]:
    """Return the cause and the remedy for a directory that is not a password store."""
    return f"there is no password store in {directory}", "make one: credhelpers init pass"


def no_entry(path: str, fault: str, login: str) -> StoreUnavailable:
    """Return the error for a path that should be an entry and is not.

    Args:
        path: What should be an encrypted file.
        fault: What it is instead.
        login: The command that stores the credentials again.
    """
    return StoreUnavailable(f"{path} {fault}", f"{_move_away(path)}; then: {login}", fault="not-a-file")


def unreadable(error: OSError, directory: str) -> StoreUnavailable:
    """Return why the password store cannot be read, and what to do.

    Args:
        error: The system's error.
        directory: The password store.
    """
    if isinstance(error, TimeoutError):
        return StoreUnavailable(f"cannot read the password store: {error}", "try again when it has ended")
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else directory
    cause = f"cannot read the password store: {path}: {error.strerror}"
    if isinstance(error, PermissionError):
        return StoreUnavailable(cause, _permission(directory, path), fault="unreadable")
    if isinstance(error, NotADirectoryError):
        return StoreUnavailable(cause, _move_away(_no_directory(path)), fault="not-a-directory")
    if error.errno == errno.ELOOP:
        return StoreUnavailable(cause, _LINK, fault="broken-link")
    return StoreUnavailable(cause, "check the file system: dmesg")


def unwritable(error: OSError, directory: str) -> BadRequest | StoreUnavailable:
    """Return why the password store cannot be changed, and what to do.

    Args:
        error: The system's error.
        directory: The password store.
    """
    if error.errno == errno.ENAMETOOLONG:
        return BadRequest(
            "the server URL or the username is too long to be a file name of the password store"
        )
    if isinstance(error, TimeoutError):
        return StoreUnavailable(f"cannot change the password store: {error}", "try again when it has ended")
    place = f"{error.filename}: " if error.filename else ""
    return StoreUnavailable(
        f"cannot write to the password store: {place}{error.strerror}", _remedy(error, directory)
    )


def _remedy(error: OSError, directory: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space on that file system; the old credential is unchanged"
    if error.errno == errno.EROFS:
        return "mount that file system for writing, or set PASSWORD_STORE_DIR"
    if error.errno == errno.ELOOP:
        return _LINK
    if isinstance(error, PermissionError):
        return _permission(directory, str(error.filename or directory))
    if isinstance(error, NotADirectoryError | FileExistsError) and isinstance(error.filename, str):
        return _move_away(_no_directory(error.filename))
    return "check the file system: dmesg"


def _permission(directory: str, path: str) -> str:
    """Return the command that gives this user access to the store and to a path in it."""
    owners = set()
    for place in (directory, os.path.dirname(path), path):
        try:
            owners.add(os.stat(place).st_uid)
        except OSError:
            continue  # in a directory that may not be entered, or not made yet
    if owners == {os.geteuid()}:
        return f"give yourself access: chmod -R u+rwX {quoted(directory)}"
    return f"make it yours, as root: chown -R {os.geteuid()} {quoted(directory)}"


def _no_directory(path: str) -> str:
    """Return the first part of a path that exists and is not a directory."""
    parts = path.split("/")
    for end in range(2, len(parts) + 1):
        place = "/".join(parts[:end])
        if os.path.lexists(place) and not os.path.isdir(place):
            return place
    return path


def _move_away(path: str) -> str:
    return f"move it away: mv {quoted(path)} {quoted(path + '.old')}"

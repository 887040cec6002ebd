"""The command that gives this user access to a file or directory, and which user has to run it."""

import errno
import os
import stat
from shlex import quote

from credhelpers.credential import Fix


def is_foreign(status: os.stat_result) -> bool:
    """Return whether another user than this one and root owns a file or directory."""
    return status.st_uid not in (os.geteuid(), 0)


def for_owner(command: str, path: str) -> str:
    """Return a command that only the owner of a path may run, marked if the owner is root.

    A fix stays one for the owner alone.
    """
    if os.geteuid() == os.stat(path).st_uid:
        return command
    return command[:] if os.geteuid() == 0 else f"as root: {command}"


def own(command: str, path: str) -> str:
    """Return a command that changes a path, as a fix where the path is this user's."""
    return Fix(command) if os.stat(path).st_uid == os.geteuid() else command


def to_read(path: str, error: OSError) -> str:
    """Return the command that makes a file readable, or moves it away.

    Args:
        path: The file.
        error: Why it cannot be read.
    """
    if error.errno not in (errno.EACCES, errno.EPERM):
        return f"move it away: {to_move_away(path)}"
    blocking = _blocking(os.path.realpath(path))
    rights = "r" if blocking == os.path.realpath(path) else "x"
    if os.stat(blocking).st_uid == os.geteuid():
        return Fix(f"chmod u+{rights} {quote(blocking)}")
    return f"as root: chmod a+{rights} {quote(blocking)}"


def to_move_away(path: str) -> str:
    """Return the command that renames a path to a name that does not exist yet."""
    name, number = path + ".aside", 1
    while os.path.lexists(name):
        number += 1
        name = f"{path}.aside{number}"
    return f"mv {quote(path)} {quote(name)}"


def to_make_room(path: str) -> str:
    """Return the same for what is made anew, as a fix where this user may rename it."""
    command = to_move_away(path)
    return Fix(command) if may_move(path) else command


def may_move(path: str) -> bool:
    """Return whether this user may rename a path: the directory is writable, and not sticky for it."""
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK | os.X_OK):
        return False
    status = os.stat(directory)
    sticky = status.st_mode & stat.S_ISVTX
    return not sticky or os.geteuid() in (0, status.st_uid, os.lstat(path).st_uid)


def _blocking(path: str) -> str:
    """Return the first directory on the way to a file that cannot be entered, else the file."""
    directory = "/"
    for name in path.split("/")[1:-1]:
        directory = os.path.join(directory, name)
        if not os.access(directory, os.X_OK):
            return directory
    return path

"""Why the directory of the tokens or of the logs cannot be used, and the command that corrects it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from credhelpers import files, paths, permissions
from credhelpers.credential import Fix

NO_HOME = "name a directory of yours: export AWS_ECR_CACHE_DIR=DIR"
_ELSEWHERE = "keep it elsewhere: export AWS_ECR_CACHE_DIR=DIR"


@dataclass(frozen=True)
class StateFault:
    """Why a directory is not used.

    Attributes:
        cause: In words, with the path.
        remedy: What to do about it.
        is_distrusted: Whether others may have written there; otherwise it just cannot be written.
    """

    cause: str
    remedy: str
    is_distrusted: bool = False


def state_fault(environ: Mapping[str, str], name: str) -> StateFault | None:
    """Return what is wrong with a directory of the state; None when it works or can be made.

    Args:
        environ: Says where the state is.
        name: The directory, ``tokens`` or ``log``.
    """
    state = paths.state_directory(environ)
    if state is None:
        return StateFault("there is no home directory", NO_HOME)
    path = os.path.join(state, name)
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    try:
        if existing in (path, state):
            files.trust_directory(existing)
    except OSError as error:
        movable = permissions.may_move(existing)
        remedy = permissions.to_make_room(existing) if movable else _ELSEWHERE
        return StateFault(f"{error.strerror or error}, so it is not used", remedy, is_distrusted=True)
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        return StateFault(f"{existing} cannot be written", _to_write(existing))
    room = os.statvfs(existing)
    if (room.f_blocks and not room.f_bavail) or (room.f_files and not room.f_favail):
        return StateFault(f"the disk of {existing} is full", f"free some space there, or {_ELSEWHERE}")
    return None


def _to_write(path: str) -> str:
    status = os.stat(path)
    closed = status.st_mode & 0o300 != 0o300  # else the file system is read-only
    if os.path.isdir(path) and status.st_uid == os.geteuid() and closed:
        return Fix(f"chmod u+rwx {quote(path)}")
    return _ELSEWHERE

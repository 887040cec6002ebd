"""Editing a file that other programs edit too: no edit is lost, and a crash leaves old or new."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote

from credhelpers import files, permissions
from credhelpers.clients import file_attributes
from credhelpers.credential import CredentialError
from credhelpers.locks import Lock

BACKUP = ".credhelpers-backup"
"""What the name of a backup ends with."""

LARGEST = 16 << 20
"""Bytes; no configuration of a client is larger."""

_LOCK_SECONDS = 10.0
_TRIES = 100
_TEMPORARY = ".credhelpers-"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Change = Callable[[bytes | None], bytes | None]
"""Makes the new content from the current one; None is a file that does not exist."""


@dataclass(frozen=True)
class Edit:
    """An edit of a file.

    Attributes:
        path: The file; a symbolic link is followed.
        change: Makes the new content; called again when another program has edited the file meanwhile.
        mode: The mode of a new file; an existing one keeps its mode, owner and ACL.
        backup: Makes the backup beside it from the old content; None for no backup.
    """

    path: str
    change: Change
    mode: int = 0o600
    backup: Callable[[bytes | None], bytes] | None = None

    def preview(self) -> tuple[bytes | None, bytes | None]:
        """Return the file's content and what it would become.

        Raises:
            CredentialError: It cannot be read, or the change is refused.
        """
        before = read_if_exists(self._real_path())
        return before, self.change(before)

    def make(self) -> bool:
        """Make the edit; return whether anything changed.

        Raises:
            CredentialError: The file cannot be read or written; it is unchanged.
        """
        before, after = self.preview()
        path = self._real_path()
        directory = os.path.dirname(path)
        try:
            if before == after and not abandoned(path):
                return False
            os.makedirs(directory, 0o700 if self.mode == 0o600 else 0o755, exist_ok=True)
            with Lock(directory, _LOCK_SECONDS):
                for left in abandoned(path):
                    os.unlink(left)
                return self._replace_newest(path)
        except TimeoutError as error:
            raise CredentialError(str(error), "check what that process waits for, then try again") from None
        except OSError as error:
            raise CredentialError(
                f"cannot write {path}: {error.strerror or error}",
                "nothing was changed; check who may write there",
            ) from None

    def _replace_newest(self, path: str) -> bool:
        """Edit the newest content; Docker does not lock, and may write in between."""
        changed = False
        for _ in range(_TRIES):
            before = read_if_exists(path)
            after = self.change(before)
            if after == before:
                return changed
            if self._swap(path, before, after):
                changed = True
        raise CredentialError(f"other programs keep changing {path}", "try again when they have finished")

    def _swap(self, path: str, before: bytes | None, after: bytes | None) -> bool:
        """Replace exactly this old content; return False when the file has another one."""
        old = None if before is None else path
        if old and not os.stat(old).st_mode & 0o222:
            raise CredentialError(f"{path} is read-only", f"if you want it changed: chmod u+w {quote(path)}")
        if self.backup:
            _write(path + BACKUP, self.backup(before), old, self.mode)
        if after is None:
            os.unlink(path)
        else:
            temporary = f"{path}{_TEMPORARY}{os.getpid()}.tmp"
            try:
                _write_new(temporary, after, old, self.mode)
                if not _take_place(temporary, path, before):
                    return False
            finally:
                if os.path.lexists(temporary):
                    os.unlink(temporary)
        files.sync_directory(os.path.dirname(path))
        return True

    def _real_path(self) -> str:
        try:
            return os.path.realpath(self.path)
        except OSError as error:
            raise CredentialError(f"cannot read {self.path}: {error.strerror}", "correct the link") from None


def whole(before: bytes | None) -> bytes:
    """Return the backup of a file without secrets: all of it; empty if it did not exist."""
    return before or b""


def sweep(path: str) -> None:
    """Remove the temporary files of runs that were killed.

    Raises:
        CredentialError: They cannot be removed.
    """
    Edit(path, lambda content: content).make()


def abandoned(path: str) -> list[str]:
    """Return the temporary files of edits that were killed; without the lock also of edits that are running.

    They may contain what the file contained.
    """
    directory, name = os.path.split(os.path.realpath(path))
    if not os.path.isdir(directory):
        return []
    left = [entry for entry in os.listdir(directory) if entry.startswith(name + _TEMPORARY)]
    return [os.path.join(directory, entry) for entry in left if entry.endswith(".tmp")]


def read_if_exists(path: str) -> bytes | None:
    """Read a file of at most `LARGEST` bytes; None when it does not exist.

    Raises:
        CredentialError: It is not a regular file, too large, or cannot be read.
    """
    try:
        return files.read_regular(path, LARGEST)
    except FileNotFoundError:
        return None
    except files.Untrusted as error:
        away = f"move it away: {permissions.to_move_away(path)}"
        raise CredentialError(str(error), away, fault="not-a-file") from None
    except OSError as error:
        remedy = permissions.to_read(path, error)
        raise CredentialError(f"cannot read {path}: {error.strerror}", remedy, fault="unreadable") from None


def _take_place(temporary: str, path: str, before: bytes | None) -> bool:
    """Rename a file over exactly the old content; return False when the file has another content.

    The names are exchanged, and the file that came back is compared: one that another program has put there
    since the last look is put back. Where the system cannot exchange names, it may be lost in that moment.
    """
    if read_if_exists(path) != before:
        return False
    if not files.rename(temporary, path, exchange=before is not None):
        if read_if_exists(path) != before:
            return False
        os.replace(temporary, path)
        return True
    if before is None or read_if_exists(temporary) == before:
        return True
    if not files.rename(temporary, path, exchange=True):
        os.replace(temporary, path)
    return False


def _write(path: str, content: bytes, old: str | None, mode: int) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        _write_new(temporary, content, old, mode)
        os.replace(temporary, path)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def _write_new(path: str, content: bytes, old: str | None, mode: int) -> None:
    """Write a new file, which is private until it is complete, with all attributes of the old one."""
    descriptor = os.open(path, _CREATE, 0o600)
    try:
        files.write_all(descriptor, content)
        if old:
            file_attributes.copy(old, descriptor)
        else:
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

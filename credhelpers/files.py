"""Private state on disk: directories, atomic replacement, appending and locks. Nothing else writes state."""

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_NEVER_BLOCK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_KEPT = 3  # full logs
_ABANDONED_AFTER = 60.0  # seconds after which a temporary file has no living writer


class Untrusted(OSError):
    """A path that another user may have written, or that is not what it should be; it is not used."""


def trust_directory(path: str) -> None:
    """Check that a directory is the user's own and that nobody else can write to it.

    Raises:
        FileNotFoundError: It does not exist.
        Untrusted: It is a symbolic link, belongs to another user, or others may write to it.
    """
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        raise Untrusted(f"{path} is a symbolic link")
    if not stat.S_ISDIR(status.st_mode):
        raise Untrusted(f"{path} is not a directory")
    if status.st_uid != os.geteuid():
        raise Untrusted(f"{path} belongs to another user")
    if status.st_mode & 0o022:
        raise Untrusted(f"other users may write to {path}")


def make_private_directory(path: str) -> None:
    """Make a directory, with its parents, that only the user can enter; tighten one that exists.

    Raises:
        Untrusted: As for `trust_directory`.
        OSError: It cannot be made.
    """
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError:
        make_private_directory(os.path.dirname(path))
        make_private_directory(path)  # another process may have made it meanwhile
    except FileExistsError:
        trust_directory(path)
        if os.lstat(path).st_mode & 0o077:
            os.chmod(path, 0o700)


def read_private(path: str, limit: int) -> bytes:
    """Read a file that only the user can have written and only the user can read.

    Args:
        path: The file; the directory it is in has been checked.
        limit: The largest size, in bytes, that is still read.

    Raises:
        FileNotFoundError: It does not exist.
        Untrusted: It is no regular file, too large, another user's, others may read or write it, or it has
            a second name.
    """
    return _read(path, limit, _NEVER_BLOCK, private=True)


def read_regular(path: str, limit: int) -> bytes:
    """Read a file of whomever, through links too, but nothing that could block or never end.

    Args:
        path: The file.
        limit: The largest size, in bytes, that is still read.

    Raises:
        FileNotFoundError: It does not exist.
        Untrusted: It is no regular file, or too large.
        OSError: It cannot be read.
    """
    return _read(path, limit, _NEVER_BLOCK & ~getattr(os, "O_NOFOLLOW", 0), private=False)


def _read(path: str, limit: int, flags: int, *, private: bool) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise Untrusted(f"{path} is not a regular file of at most {limit} bytes")
        if private and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
            raise Untrusted(f"other users may read or write {path}")
        if private and status.st_nlink > 1:
            raise Untrusted(f"{path} has another name, a hard link")
        return os.read(descriptor, min(limit, status.st_size + 1))
    finally:
        os.close(descriptor)


def facts(path: str) -> str:
    """Return what tells a file from every other one and from every other version of it, in one line.

    Times alone do not: image builds, ``cp -p`` and ``touch -r`` give two files the same one. The inode and
    the time of its last change (ctime) are the kernel's own. The line is as GNU ``stat -L -c '%f %u %h %d:%i
    %s %.9Y %.9Z'`` prints it, so that a shell can compare it.

    Returns:
        Mode, owner, links, device and inode, size, times; empty for a file that does not exist;
        ``unreadable`` for one that cannot be looked at.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError):
        return "unreadable"
    times = " ".join(
        f"{time // 10**9}.{time % 10**9:09d}" for time in (status.st_mtime_ns, status.st_ctime_ns)
    )
    place = f"{status.st_dev}:{status.st_ino}"
    return f"{status.st_mode:x} {status.st_uid} {status.st_nlink} {place} {status.st_size} {times}"


def replace(path: str, content: bytes, mode: int = 0o600) -> None:
    """Put a new content in place of a file so that a reader, or a crash, meets the old one or the new one.

    Raises:
        OSError: The disk is full, read-only or not ours; the old content stands.
    """
    _sweep(path)
    temporary = f"{path}.{os.getpid()}-{time.monotonic_ns():x}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_BLOCK, mode)
    try:
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(os.path.dirname(path))


def append_private(path: str, line: bytes, largest: int) -> None:
    """Add a line to a file that only the user can read; one write, so that lines of others do not mix in.

    Args:
        path: The file, made when it is missing.
        line: What to add.
        largest: The size, in bytes, at which the file is put aside as ``<path>.1``, and the former one as
            ``<path>.2``; the oldest goes. A writer that has the file open meanwhile loses nothing.

    Raises:
        Untrusted: It is no regular file of the user's own.
        OSError: It cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NEVER_BLOCK, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise Untrusted(f"{path} is no regular file of this user's")
        if status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        os.write(descriptor, line)
        if status.st_size + len(line) >= largest:
            _put_aside(path, status.st_ino)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of a content to a descriptor, however little of it the kernel takes at a time."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


class Lock:
    """An advisory lock on a file or directory, as a context manager; the kernel drops it with its holder.

    Args:
        path: A directory that exists, or a file that is made when it is missing.
        seconds: How long to wait for another holder.
        is_needless: Tells, while another holds it, whether what it was wanted for has been done; then the
            wait ends without the lock.

    Raises:
        TimeoutError: On entering, when another process still holds it by then.
    """

    def __init__(self, path: str, seconds: float, is_needless: "Callable[[], bool] | None" = None) -> None:
        self._path = path
        self._seconds = seconds
        self._is_needless = is_needless
        self._descriptor = -1

    def __enter__(self) -> None:
        import fcntl

        self._open()
        deadline = time.monotonic() + self._seconds
        pause = 0.001
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self._descriptor)
                    raise TimeoutError(
                        f"another process has held {self._path} for {self._seconds:g} s"
                    ) from None
                if self._is_needless and self._is_needless():
                    return
                time.sleep(pause)
                pause = min(pause * 2, 0.05)
            else:
                if self._is_current():
                    return
                os.close(self._descriptor)  # its last holder has removed it; others lock the new one
                self._open()

    def _open(self) -> None:
        flags = os.O_RDONLY if os.path.isdir(self._path) else os.O_RDWR | os.O_CREAT
        self._descriptor = os.open(self._path, flags | _NEVER_BLOCK, 0o600)

    def _is_current(self) -> bool:
        """Return whether the file that is locked is the one that others would lock."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        os.close(self._descriptor)


def remove_lock(path: str) -> None:
    """Remove a lock file that no process holds; one that is held stays.

    Whoever waits for it finds that it has gone, and locks the file that is there by then.
    """
    try:
        with Lock(path, -1.0):
            os.unlink(path)
    except (TimeoutError, FileNotFoundError):
        return


def _put_aside(path: str, inode: int) -> None:
    """Rename a full file and its predecessors, unless another process has done so already."""
    try:
        with Lock(path, 1.0):
            if os.lstat(path).st_ino != inode:
                return
            for number in range(_KEPT, 0, -1):
                older = path if number == 1 else f"{path}.{number - 1}"
                if os.path.exists(older):
                    os.replace(older, f"{path}.{number}")
    except OSError:
        return  # the record is written; the next one tries again


def _sweep(path: str) -> None:
    """Remove what writers of this file that were killed have left."""
    directory, name = os.path.split(path)
    for entry in os.listdir(directory):
        if entry.startswith(name + ".") and entry.endswith(".tmp"):
            abandoned = os.path.join(directory, entry)
            try:
                if time.time() - os.lstat(abandoned).st_mtime > _ABANDONED_AFTER:
                    os.unlink(abandoned)
            except FileNotFoundError:
                pass


def sync_directory(path: str) -> None:
    """Let what was renamed in a directory outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

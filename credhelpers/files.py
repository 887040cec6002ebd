"""Private state on disk: directories, atomic replacement, appending. Nothing else writes state."""

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[str, os.stat_result], None]

_NEVER_BLOCK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KEPT = 3  # full logs
_ABANDONED_AFTER = 60.0  # seconds after which a temporary file has no living writer


class Untrusted(OSError):
    """A path that another user may have written, or that is not what it should be; it is not used."""


def trust_directory(path: str) -> None:
    """Check that a directory is the user's own and that no other user can write to it.

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
        Untrusted: It is not a regular file, too large, another user's, others may read or write it, or it
            has a second name.
    """
    return _read(path, limit, _NEVER_BLOCK, _check_private)


def read_regular(path: str, limit: int, check: "Check | None" = None) -> bytes:
    """Read a regular file of any owner, following links; a file that could block is not opened.

    Args:
        path: The file.
        limit: The largest size, in bytes, that is still read.
        check: Called with the path and the status of the open file before it is read; may raise.

    Raises:
        FileNotFoundError: It does not exist.
        Untrusted: It is not a regular file, or too large.
        OSError: It cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Untrusted(f"{path} is not a regular file")  # opening a device may do something
    return _read(path, limit, _NEVER_BLOCK & ~os.O_NOFOLLOW, check)


def _read(path: str, limit: int, flags: int, check: "Check | None") -> bytes:
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Untrusted(f"{path} is not a regular file")
        if check:
            check(path, status)
        content = b""
        size = min(status.st_size or 1 << 16, limit) + 1  # some file systems do not know the size
        while len(content) <= limit and (chunk := os.read(descriptor, size)):
            content += chunk
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise Untrusted(f"{path} is larger than {limit} bytes")
    return content


def _check_private(path: str, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise Untrusted(f"other users may read or write {path}")
    if status.st_nlink > 1:
        raise Untrusted(f"{path} has another name, a hard link")


def facts(path: str) -> str:
    """Return one line that identifies a file and this version of it.

    Times are not enough: image builds, ``cp -p`` and ``touch -r`` give two files the same one. The inode and
    the time of the last change (ctime) are set by the kernel. The line is what GNU ``stat -L -c '%f %u %h
    %d:%i %s %.9Y %.9Z'`` prints, so that a shell can compare it.

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
    """Replace a file's content so that a reader, or a crash, sees either the old content or the new one.

    Raises:
        OSError: The disk is full or read-only, or the user may not write; the old content stands.
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


def rename(source: str, target: str, *, exchange: bool) -> bool:
    """Rename a file by renameat2(2): exchange two files, or fail where the target exists.

    Returns:
        False when it was not done: the target is there (or not there to exchange), or the kernel or the
        file system has no such call.
    """
    import ctypes

    try:
        call = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError):
        return False  # a libc without it
    here, flag = -100, 2 if exchange else 1  # AT_FDCWD; RENAME_EXCHANGE, RENAME_NOREPLACE
    return bool(call(here, os.fsencode(source), here, os.fsencode(target), flag) == 0)


def append_private(path: str, line: bytes, largest: int) -> None:
    """Add a line to a file that only the user can read; one write, so that lines of others do not mix in.

    Args:
        path: The file, made when it is missing.
        line: What to add.
        largest: The size, in bytes, at which the file is rotated: renamed to ``<path>.1``, and the former one
            to ``<path>.2``; the oldest is removed. A writer that has the file open meanwhile loses nothing.

    Raises:
        Untrusted: It is not a regular file of this user.
        OSError: It cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NEVER_BLOCK, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise Untrusted(f"{path} is not a regular file of this user")
        if status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        os.write(descriptor, line)
        if status.st_size + len(line) >= largest:
            _rotate(path, status.st_ino)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of a content to a descriptor, however little of it the kernel takes at a time."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _rotate(path: str, inode: int) -> None:
    """Rename a full file and its predecessors, unless another process has done so already."""
    from credhelpers.locks import Lock

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
    """Remove the temporary files of writers that were killed."""
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
    """Make a rename in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

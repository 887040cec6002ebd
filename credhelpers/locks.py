"""Locks among processes: the kernel's own, which end with their holder."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Lock:
    """An advisory lock on a file or directory, as a context manager; the kernel drops it with its holder.

    Args:
        path: A directory that exists, or a file that is made when it is missing.
        seconds: How long to wait for another holder.
        is_needless: Returns, while another process holds the lock, whether the work it is wanted for has been
            done; then the wait ends without the lock.

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
        self._descriptor = os.open(self._path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)

    def _is_current(self) -> bool:
        """Return whether the file that is locked is the one that others would lock."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def remove_lock(path: str) -> None:
    """Remove a lock file that no process holds; one that is held stays.

    A process that waits for it notices that it is gone, and locks the new file.
    """
    try:
        with Lock(path, -1.0):
            os.unlink(path)
    except (TimeoutError, FileNotFoundError):
        return

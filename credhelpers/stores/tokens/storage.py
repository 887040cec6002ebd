"""Where tokens are kept: private text files in one directory, or nowhere."""

import os

from credhelpers import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeVar

    from credhelpers.locks import Lock
    from credhelpers.log import Log

    Parsed = TypeVar("Parsed")
    Storage: TypeAlias = "Directory | Nothing"

LOCK = ".lock"
"""What the names of locks end with."""
LARGEST = (1 << 20) + (1 << 16)
"""Bytes of a file: a token from `docker login` may be as long as the protocol allows."""


class Directory:
    """Private text files. One that cannot be used counts as missing, and the first such fault is reported.

    Args:
        path: The directory; it is made when the first file is written.
        log: Gets the report.
        executable: Whose report it is, on stderr.
    """

    def __init__(self, path: str, log: "Log", executable: str) -> None:
        self._path = path
        self._log = log
        self._executable = executable
        self._has_reported = False

    def path(self, name: str) -> str:
        """Return the path of a file."""
        return os.path.join(self._path, name)

    def names(self) -> list[str]:
        """Return the names of all files."""
        try:
            return sorted(os.listdir(self._path))
        except FileNotFoundError:
            return []
        except OSError as error:
            self._report(error)
            return []

    def read(self, name: str, parse: "Callable[[list[str]], Parsed]") -> "Parsed | None":
        """Return what a file says; None when it is missing, damaged or not private.

        Args:
            name: The file.
            parse: Makes a value of its lines; raises ValueError or OverflowError when they are damaged.
        """
        try:
            files.trust_directory(self._path)
            *lines, rest = files.read_private(self.path(name), LARGEST).decode().split("\n")
            if not rest:
                return parse(lines)
            self._report(f"{name} is damaged")
        except FileNotFoundError:
            pass
        except OSError as error:
            self._report(error)
        except (ValueError, OverflowError):
            self._report(f"{name} is damaged")
        return None

    def write(self, name: str, lines: tuple[str, ...]) -> bool:
        """Replace a file; return whether it is there now."""
        if any("\n" in line for line in lines):
            return False  # no text of a service or of the environment makes another line here
        content = ("\n".join(lines) + "\n").encode()
        if len(content) > LARGEST:
            return False
        try:
            files.make_private_directory(self._path)
            files.replace(self.path(name), content)
        except OSError as error:
            self._report(error)
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if there is one; a lock stays while it is held."""
        try:
            files.trust_directory(self._path)
            if name.endswith(LOCK):
                from credhelpers.locks import remove_lock

                remove_lock(self.path(name))
            else:
                os.unlink(self.path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            self._report(error)

    def lock(self, name: str, seconds: float, is_needless: "Callable[[], bool]") -> "Lock":
        """Return the lock of a file; see `Lock`.

        Raises:
            OSError: The directory cannot be used; on entering the lock too.
        """
        from credhelpers.locks import Lock

        files.make_private_directory(self._path)
        return Lock(self.path(name + LOCK), seconds, is_needless)

    def _report(self, fault: OSError | str) -> None:
        if self._has_reported:
            return
        self._has_reported = True
        from credhelpers.log import warn

        reason = str(getattr(fault, "strerror", None) or fault)
        self._log.warning("The token cache is not used", error=reason, path=self._path)
        warn(f"{self._executable}: the token cache in {self._path} is not used: {reason}")


class Nothing:
    """Keeps no file: for users without a home, and for those who want no token on disk."""

    def path(self, name: str) -> str:
        """Return a path that never exists."""
        return os.path.join(os.devnull, name)

    def names(self) -> list[str]:
        """Return no name."""
        return []

    def read(self, *_: object) -> None:
        """Find no file."""

    def write(self, *_: object) -> bool:
        """Return that the file is not there."""
        return False

    def remove(self, _: str) -> None:
        """Do nothing."""

    def lock(self, name: str, *_: object) -> "Lock":
        """Raise FileNotFoundError: there is nothing to share, so nothing to lock."""
        raise FileNotFoundError(name)

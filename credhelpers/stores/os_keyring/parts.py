"""Values of any length in a keyring that takes short ones only, or none that are empty."""

import time

from credhelpers.credential import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Found(Protocol):
        """What keyring.credentials.Credential has."""

        @property
        def username(self) -> str:
            """The username."""

        @property
        def password(self) -> str:
            """The secret."""

    class Backend(Protocol):
        """What keyring.backend.KeyringBackend has."""

        def get_password(self, service: str, username: str) -> str | None:
            """Return the value of an entry; None when there is none."""

        def set_password(self, service: str, username: str, password: str) -> None:
            """Write an entry."""

        def delete_password(self, service: str, username: str) -> None:
            """Delete an entry, which has to exist."""

        def get_credential(self, service: str, username: str | None) -> Found | None:
            """Return an entry of a service; without a username any one, or None where that is impossible."""


_MARK = "credhelpers-parts:"
_LONGEST_NUMBER = 4  # digits of the number of parts; the longest secret has some 1,600


class Parts:
    """A backend's entries, with values too long for it, and empty ones, kept in parts.

    The entry itself then holds ``credhelpers-parts:<number>:<generation>``; it is written after the parts
    and is what makes them count, so an interrupted write leaves the old value.

    Args:
        backend: A backend of the ``keyring`` package.
        longest: The longest value that it takes, in UTF-16 code units; None for no limit.
    """

    def __init__(self, backend: "Backend", longest: int | None) -> None:
        self._backend = backend
        self._longest = longest

    def read(self, service: str, username: str) -> str | None:
        """Return the value of an entry; None when there is none.

        Raises:
            StoreUnavailable: A part of it is missing.
        """
        head = self._backend.get_password(service, username)
        return None if head is None else self._join(service, username, head)

    def find(self, service: str) -> tuple[str, str] | None:
        """Return the username and the value of any one entry of a service.

        None when there is none, and where the backend finds nothing without a username.
        """
        found = self._backend.get_credential(service, None)
        if found is None:
            return None
        return found.username, self._join(service, found.username, found.password)

    def username(self, service: str, expected: str | None) -> str | None:
        """Return the username of an entry, damaged or not, of a service; None when there is none.

        Args:
            service: The service.
            expected: A username to look for first.
        """
        if expected is not None and self._backend.get_password(service, expected) is not None:
            return expected
        found = self._backend.get_credential(service, None)
        return None if found is None else found.username

    def write(self, service: str, username: str, value: str) -> None:
        """Write an entry in place of the one there may be."""
        obsolete = self._names(service, self._backend.get_password(service, username))
        if value and not value.startswith(_MARK) and self._fits(value):
            self._backend.set_password(service, username, value)
        else:
            self._write_parts(service, username, self._split(value))
        self._delete(obsolete, username)

    def delete(self, service: str, username: str) -> None:
        """Delete an entry; one that is not there is as good."""
        head = self._backend.get_password(service, username)
        if head is not None:
            self._backend.delete_password(service, username)
            self._delete(self._names(service, head), username)

    def _write_parts(self, service: str, username: str, pieces: list[str]) -> None:
        head = f"{_MARK}{len(pieces)}:{time.time_ns():x}"
        names = self._names(service, head) or []
        try:
            for name, piece in zip(names, pieces, strict=True):
                self._backend.set_password(name, username, piece)
            self._backend.set_password(service, username, head)
        except BaseException:
            self._delete(names, username)
            raise

    def _fits(self, value: str) -> bool:
        return self._longest is None or len(value.encode("utf-16-le")) // 2 <= self._longest

    def _split(self, value: str) -> list[str]:
        if self._longest is None:
            return [value] if value else []
        units = len(value.encode("utf-16-le")) // 2
        step = self._longest if units == len(value) else self._longest // 2  # two units to some characters
        return [value[start : start + step] for start in range(0, len(value), step)]

    def _join(self, service: str, username: str, head: str) -> str:
        if not head.startswith(_MARK):
            return head
        names = self._names(service, head)
        if names is None:
            raise StoreUnavailable(f"the entry for {service} in the keyring is damaged", "log in again")
        pieces = [self._backend.get_password(name, username) for name in names]
        present = [piece for piece in pieces if piece is not None]
        if len(present) < len(pieces):
            raise StoreUnavailable(
                f"a part of the credentials for {service} is missing from the keyring", "log in again"
            )
        return "".join(present)

    def _names(self, service: str, head: str | None) -> list[str] | None:
        """Return the services under which the parts are kept that the entry itself tells of.

        None when what it tells makes no sense.
        """
        if head is None or not head.startswith(_MARK):
            return []
        number, _, generation = head.removeprefix(_MARK).partition(":")
        if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
            return None
        return [f"{service}#{generation}.{index}" for index in range(int(number))]

    def _delete(self, services: list[str] | None, username: str) -> None:
        for service in services or []:
            if self._backend.get_password(service, username) is not None:
                self._backend.delete_password(service, username)

"""The token cache: one private file for each identity, readable in a few system calls.

A file is text: the format's name, the identity's key, the times of issue and expiry, the hosts that it was
used for, the username, the password. A failure is kept the same way for a short while, so that a build that
asks thirty times does not wait thirty times.
"""

import time

from credhelpers import files
from credhelpers.credential import CredentialsNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credhelpers.locks import Lock
    from credhelpers.stores.tokens.storage import Storage

    Conditions = tuple[str, dict[str, str]]

CLOCK_SLACK = 300
"""Seconds by which a token may have been issued in the future, for clocks are not all alike."""
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-")
"""Characters that mean nothing special to a shell, in JSON or in a file of the cache."""
_FORMAT = "credhelpers token 1"
_FAILURE_FORMAT = "credhelpers failure 1"
STORED = "stored-"
FAST_PATH = ("fast-", "answer-")
"""What the names of the fast path's files begin with."""
FAILED, ERASED = ".failed", ".erased"
"""What the names of files beside a token end with."""


class Token:
    """A username and password, and when they are good; times are in whole seconds since the epoch.

    Attributes:
        username: The username.
        password: The secret.
        issued: When it came, by this machine's clock.
        expires: When it ends.
        hosts: The hosts that it was used for.
    """

    __slots__ = ("expires", "hosts", "issued", "password", "username")

    def __init__(
        self,
        username: str,
        password: str,
        issued: float,
        expires: float,
        longest_life: float,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self.username = username
        self.password = password
        self.issued = int(issued)  # as it is on disk, so that every process concludes the same from it
        self.expires = int(min(expires, issued + longest_life))  # a later end comes of a wrong clock
        self.hosts = hosts

    def is_valid(self, now: float) -> bool:
        """Return whether the token may be used; not when the clock has gone back past its issue."""
        return self.issued - CLOCK_SLACK <= now < self.expires

    def is_usable(self, now: float, last_seconds: float) -> bool:
        """Return whether the token lives as long as clients go on using an answer.

        Args:
            now: Seconds since the epoch.
            last_seconds: How long they do; a quarter of the token's life, if that is less.
        """
        last = min(last_seconds, (self.expires - self.issued) / 4)
        return self.is_valid(now) and now < self.expires - last

    def is_fresh(self, now: float) -> bool:
        """Return whether the token is in the first half of its life."""
        return now < self.renew_at

    @property
    def renew_at(self) -> int:
        """When the token has lived half its life."""
        return (self.issued + self.expires) // 2


class Entry:
    """What is kept of one token: the token itself, the last failure, and when it was erased.

    Args:
        storage: Where it is kept.
        name: The name of its files.
        key: One line for the identity; a token that was saved under another is not returned.
        longest_life: Seconds; the longest that a token of this issuer lives.
    """

    __slots__ = ("_key", "longest_life", "name", "storage")

    def __init__(self, storage: "Storage", name: str, key: str, longest_life: float) -> None:
        self.storage = storage
        self.name = name
        self._key = key
        self.longest_life = longest_life

    def load(self, now: float) -> Token | None:
        """Return the token, if there is one that is valid."""
        found = load(self.storage, self.name, self.longest_life)
        return found[1] if found and found[0] == self._key and found[1].is_valid(now) else None

    def save(self, token: Token, erasure: str | None = None) -> bool:
        """Keep a token in place of any older one.

        Args:
            token: The token.
            erasure: What `erasure` returned before the token was asked for; one that has been erased
                meanwhile does not come back.

        Returns:
            Whether it is kept.
        """
        times = (str(token.issued), str(token.expires))
        lines = (_FORMAT, self._key, *times, " ".join(token.hosts), token.username, token.password)
        if not self.storage.write(self.name, lines):
            return False
        if erasure is None or erasure == self.erasure():
            return True
        self.storage.remove(self.name)
        return False

    def drop(self) -> None:
        """Forget the token and the failure; a renewal that is under way does not bring it back."""
        if self.storage.names():
            self.storage.write(self.name + ERASED, (str(time.time_ns()),))
        self.storage.remove(self.name)
        self.storage.remove(self.name + FAILED)

    def erasure(self) -> str:
        """Return what changes whenever the token is erased."""
        return files.facts(self.storage.path(self.name + ERASED))

    def load_failure(self, now: float, seconds: float) -> CredentialsNotFound | None:
        """Return the last failure, if it is less than so many seconds old."""

        def parse(lines: list[str]) -> CredentialsNotFound | None:
            form, key, moment, cause, remedy = lines
            if (form, key) != (_FAILURE_FORMAT, self._key) or not 0 <= now - int(moment) < seconds:
                return None
            return CredentialsNotFound(cause, remedy)

        return self.storage.read(self.name + FAILED, parse)

    def save_failure(self, error: CredentialsNotFound, now: float) -> None:
        """Keep a failure."""
        lines = (_FAILURE_FORMAT, self._key, str(int(now)), error.cause, error.remedy)
        self.storage.write(self.name + FAILED, lines)

    def lock(self, seconds: float, is_needless: "Callable[[], bool]") -> "Lock":
        """Return the lock under which the token is fetched; see `Directory.lock`."""
        return self.storage.lock(self.name, seconds, is_needless)


def stored_name(host: str) -> str:
    """Return the name of the entry for the token that a user stored for a host."""
    return STORED + host


def shared_name(scope: str, key: str) -> str:
    """Return the name of the entry for the token of an identity.

    The key itself is in the file, so a collision costs a request and never returns a wrong token.

    Args:
        scope: What the token is for, such as a region.
        key: The identity's.
    """
    import binascii

    return f"{scope}-{binascii.crc32(key.encode()):08x}"


def load(storage: "Storage", name: str, longest_life: float) -> tuple[str, Token] | None:
    """Return the key and the token in a file."""

    def parse(lines: list[str]) -> tuple[str, Token] | None:
        form, key, issued, expires, hosts, username, password = lines
        if form != _FORMAT:
            return None
        times = float(issued), float(expires)
        return key, Token(username, password, *times, longest_life, tuple(hosts.split()))

    return storage.read(name, parse)

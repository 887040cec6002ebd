"""The token cache: one private file for each identity and region, readable in a few system calls.

A file is text: the format's name, the identity's key, the times of issue and expiry, the hosts it has served,
the username, the password. A failure is kept the same way for a short while, so that a build that asks thirty
times does not wait thirty times.
"""

import os
import time

from credhelpers import files
from credhelpers.credential import CredentialsNotFound
from credhelpers.files import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credhelpers.log import Log

LONGEST_LIFE = 12 * 3600.0
"""Seconds; the ECR API reference promises no token a longer life, so whoever claims one has a wrong clock."""
CLOCK_SLACK = 300
"""Seconds by which a token may have been issued in the future; AWS allows as many."""
_FORMAT = "credhelpers token 1"
_FAILURE_FORMAT = "credhelpers failure 1"
LARGEST = (1 << 20) + (1 << 16)
"""Bytes; a token of ECR has about 2,500, and one that is stored may be as long as the protocol allows."""
_STORED = "stored-"
FAST = ("fast-", "answer-")
"""What the names begin with that stores/ecr/fast_path.py gives to its files."""
_ERASED = ".erased"
_TEMPORARY = (".failed", ".lock", ".tmp", _ERASED)
_HEXADECIMAL = frozenset("0123456789abcdef")


class Token:
    """A username and password, and when they are good.

    Attributes:
        username: ``AWS``, unless somebody stored another.
        password: The secret.
        issued: When it came, in seconds since the epoch by this machine's clock.
        expires: When it ends, likewise.
        hosts: The registries that it has been used for.
    """

    __slots__ = ("expires", "hosts", "issued", "password", "username")

    def __init__(
        self, username: str, password: str, issued: float, expires: float, hosts: tuple[str, ...] = ()
    ) -> None:
        self.username = username
        self.password = password
        self.issued = int(issued)  # as it is on disk, so that what follows from it is the same for everybody
        self.expires = int(min(expires, issued + LONGEST_LIFE))
        self.hosts = hosts

    def is_valid(self, now: float) -> bool:
        """Tell whether the token may be used; never when the clock has gone back past its issue."""
        return self.issued - CLOCK_SLACK <= now < self.expires

    def is_usable(self, now: float, last_seconds: float) -> bool:
        """Return whether an answer with it lives as long as clients go on using it.

        Args:
            now: Seconds since the epoch.
            last_seconds: How long they do; a quarter of the token's life, if that is less.
        """
        last = min(last_seconds, (self.expires - self.issued) / 4)
        return self.is_valid(now) and now < self.expires - last

    def is_fresh(self, now: float) -> bool:
        """Tell whether the token is in the first half of its life."""
        return now < self.renew_at

    @property
    def renew_at(self) -> int:
        """When the token has lived half its life, in whole seconds since the epoch."""
        return (self.issued + self.expires) // 2


class TokenCache:
    """Tokens and failures in one directory.

    Args:
        directory: Where they are; made when the first is saved.
        log: Is told why a file or the directory is not used.
    """

    keeps = True

    def __init__(self, directory: str, log: "Log") -> None:
        self._directory = directory
        self._log = log
        self._passed_over = False

    def load(self, name: str, key: str) -> Token | None:
        """Return the token that was saved under a name, if it was saved for this very key."""
        fields = self._read(name, 7)
        if fields is None or fields[0] != _FORMAT or fields[1] != key:
            return None
        try:
            issued, expires = map(float, fields[2:4])
            return Token(fields[5], fields[6], issued, expires, tuple(fields[4].split()))
        except (ValueError, OverflowError):
            self._pass_over(ValueError(f"{name} is damaged"))
            return None

    def erasure(self, name: str) -> str:
        """Return what changes whenever the token under a name is erased."""
        return files.facts(self.path(name + _ERASED))

    def save(self, name: str, key: str, token: Token, erasure: str | None = None) -> bool:
        """Put a token in place of what is under its name.

        Args:
            name: The name.
            key: Whose token it is.
            token: The token.
            erasure: What `erasure` returned before the token was asked for: one that has been erased
                meanwhile does not come back.

        Returns:
            Whether it is there now.
        """
        hosts = " ".join(token.hosts)
        times = (str(token.issued), str(token.expires))
        self._prune(token.issued)
        fields = (_FORMAT, key, *times, hosts, token.username, token.password)
        if not self._write(name, fields):
            return False
        if erasure is None or erasure == self.erasure(name):
            return True
        self._remove(name)
        return False

    def load_failure(self, name: str, key: str, now: float, seconds: float) -> CredentialsNotFound | None:
        """Return what went wrong less than so many seconds ago, if anything did."""
        fields = self._read(name + ".failed", 5)
        if fields is None or fields[0] != _FAILURE_FORMAT or fields[1] != key:
            return None
        if not fields[2].isdecimal() or not 0 <= now - int(fields[2]) < seconds:
            return None
        return CredentialsNotFound(fields[3], fields[4])

    def save_failure(self, name: str, key: str, error: CredentialsNotFound, now: float) -> None:
        """Remember what went wrong."""
        self._write(name + ".failed", (_FAILURE_FORMAT, key, str(int(now)), error.cause, error.remedy))

    def drop(self, name: str) -> None:
        """Forget a token and the last failure; a renewal that is under way does not bring it back."""
        if os.path.isdir(self._directory):
            self._write(name + _ERASED, (str(time.time_ns()),))
        self._remove(name)
        self._remove(name + ".failed")

    def _remove(self, name: str) -> None:
        try:
            files.trust_directory(self._directory)
            os.unlink(self.path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            self._pass_over(error)

    def hosts(self, now: float) -> dict[str, str]:
        """Return the username for each host that a valid token has served or been stored for."""
        try:
            names = sorted(os.listdir(self._directory))
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._pass_over(error)
            return {}
        found: dict[str, str] = {}
        for name in names:
            is_token = _is_ours(name) and not name.startswith(FAST) and not name.endswith(_TEMPORARY)
            fields = self._read(name, 7) if is_token else None
            token = self.load(name, fields[1]) if fields else None
            if token and token.is_valid(now):
                found.update(dict.fromkeys(token.hosts, token.username))
        return found

    def lock(self, name: str, seconds: float, is_needless: "Callable[[], bool] | None" = None) -> Lock:
        """Return the lock under which a token is fetched.

        Raises:
            OSError: There is nothing to lock; on entering the lock too.
        """
        files.make_private_directory(self._directory)
        return Lock(self.path(name + ".lock"), seconds, is_needless)

    def _prune(self, now: float) -> None:
        """Remove what nobody can use any more: tokens of identities and configurations of other days."""
        try:
            files.trust_directory(self._directory)
            for name in os.listdir(self._directory):
                path = self.path(name)
                if not _is_ours(name) or now - os.lstat(path).st_ctime <= 2 * LONGEST_LIFE:
                    continue
                if name.endswith(".lock"):
                    files.remove_lock(path)
                else:
                    os.unlink(path)
        except OSError:
            return  # the directory is not there yet, or not to be touched, or another process prunes too

    def path(self, name: str) -> str:
        """Return the path of a file of the cache."""
        return os.path.join(self._directory, name)

    def _read(self, name: str, count: int) -> list[str] | None:
        try:
            files.trust_directory(self._directory)
            content = files.read_private(self.path(name), LARGEST).decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            self._pass_over(error)
            return None
        fields = content.split("\n")
        if len(fields) != count + 1 or fields[count]:
            self._pass_over(ValueError(f"{name} is damaged"))
            return None
        return fields[:count]

    def _write(self, name: str, fields: tuple[str, ...]) -> bool:
        if any("\n" in field for field in fields):
            return False  # no line of AWS's or of the environment's makes another one here
        content = ("\n".join(fields) + "\n").encode()
        if len(content) > LARGEST:
            return False
        try:
            files.make_private_directory(self._directory)
            files.replace(self.path(name), content)
        except OSError as error:
            self._pass_over(error)
            return False
        return True

    def _pass_over(self, error: Exception) -> None:
        if self._passed_over:
            return
        self._passed_over = True
        from credhelpers.log import warn

        reason = getattr(error, "strerror", None) or str(error)
        self._log.warning("The token cache is not used", error=reason, path=self._directory)
        warn(f"docker-credential-ecr-login: the token cache in {self._directory} is not used: {reason}")


class NoCache(TokenCache):
    """Keeps nothing: for callers without a home, and for those who want no token on disk."""

    keeps = False

    def __init__(self) -> None:
        pass

    def lock(self, name: str, seconds: float, is_needless: "Callable[[], bool] | None" = None) -> Lock:
        """Raise: there is nothing to share, so nothing to lock."""
        raise FileNotFoundError(name)

    def hosts(self, now: float) -> dict[str, str]:
        """Return nothing."""
        del now
        return {}

    def erasure(self, name: str) -> str:
        """Return nothing: there is nothing to erase."""
        del name
        return ""

    def drop(self, name: str) -> None:
        """Do nothing."""

    def _prune(self, now: float) -> None:
        pass

    def _read(self, name: str, count: int) -> list[str] | None:
        del name, count
        return None

    def _write(self, name: str, fields: tuple[str, ...]) -> bool:
        return False


def stored_name(host: str) -> str:
    """Return the name under which the token that a user stored for a host is kept."""
    return _STORED + host


def shared_name(region: str, key: str) -> str:
    """Return the name under which the token of an identity in a region is kept.

    The key itself is in the file, so that a collision costs a request and never gives a wrong token.
    """
    import binascii

    return f"{region}-{binascii.crc32(key.encode()):08x}"


def _is_ours(name: str) -> bool:
    """Return whether a file is one of ours; others are not ours to remove."""
    key = name.partition(".")[0].rpartition("-")[2]
    return name.startswith((_STORED, *FAST)) or (len(key) == 8 and _HEXADECIMAL.issuperset(key))

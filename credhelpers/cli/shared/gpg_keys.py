"""The user's GnuPG keys: which of them a password store can use, and how to make one."""

import getpass
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import gnupg

from credhelpers import files, paths
from credhelpers.credential import CredentialError, StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store import gpg, gpg_failure

_LARGEST_KEY = 1 << 20  # bytes
_OLDEST = (2, 1)  # older versions have no agent for all keys, and no elliptic curves
_UNUSABLE = {"e": "has expired", "r": "has been revoked", "i": "is not valid", "d": "is disabled"}
_TRUSTED = frozenset("muf")  # gpg --batch encrypts for no others (GnuPG g10/pkclist.c)


@dataclass(frozen=True)
class Key:
    """A secret key.

    Attributes:
        fingerprint: In full.
        user_id: The name and address of its owner.
        fault: Why a password store cannot use it; empty when it can.
        remedy: What to do about it.
        grip: The name of its file in private-keys-v1.d.
    """

    fingerprint: str
    user_id: str
    fault: str = ""
    remedy: str = ""
    grip: str = ""

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Self:
        """Read python-gnupg's record of a secret key."""
        fingerprint, validity, capabilities = record["fingerprint"], record["trust"], record["cap"]
        fault, remedy = "", ""
        if validity in _UNUSABLE or "D" in capabilities:
            fault = _UNUSABLE.get(validity, _UNUSABLE["d"])
            if validity == "e":
                extend = gpg_failure.extend(fingerprint, expired=True, subkey=_expired_subkey(record))
                remedy = f"extend it: {extend}"
            elif fault == _UNUSABLE["d"]:
                remedy = f"enable it: gpg --batch --edit-key {fingerprint} enable quit"
        elif "E" not in capabilities and _expired_subkey(record):  # a capital letter is for the whole key
            fault = "has an encryption subkey that has expired"
            extend = gpg_failure.extend(fingerprint, expired=False, subkey=_expired_subkey(record))
            remedy = f"extend it: {extend}"
        elif "E" not in capabilities:
            fault = "cannot encrypt"
            remedy = f"add a subkey that can: gpg --quick-add-key {fingerprint} default encrypt"
        elif validity not in _TRUSTED:
            fault = "is not trusted"
            remedy = f"mark it as your own: echo {fingerprint}:6: | gpg --import-ownertrust"
        return cls(fingerprint, next(iter(record["uids"]), ""), fault, remedy, record.get("keygrip", ""))


class SecretKeys:
    """The secret keys of a user.

    Args:
        environ: The user's environment; ``GNUPGHOME`` names another place than ``~/.gnupg``.

    Raises:
        StoreUnavailable: gpg does not work, or there is no place for its keys.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        program = gpg.find_gpg(environ)
        home = paths.home_directory(environ)
        self.home = os.path.abspath(environ.get("GNUPGHOME") or os.path.join(home or "/", ".gnupg"))
        make_private(self.home)
        own = {**environ, "GNUPGHOME": self.home, **({"HOME": home} if home else {})}
        terminal = gpg.terminal(environ)
        if terminal:
            own["GPG_TTY"] = terminal  # where the agent's pinentry asks
        try:
            self._gpg = gnupg.GPG(gpgbinary=program, env=own, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise StoreUnavailable(f"gpg does not start: {error}", f"see why: {program} --version") from None
        self._gpg.decode_errors = "replace"
        if (self._gpg.version or _OLDEST) < _OLDEST:
            raise StoreUnavailable("this GnuPG is older than 2.1", "install a newer one")

    def list(self) -> list[Key]:
        """Return all secret keys."""
        return [Key.of_record(record) for record in self._gpg.list_keys(True)]

    def find(self, name: str) -> Key:
        """Return the key that a fingerprint, key id or part of a user id names.

        Raises:
            CredentialError: It names none or several.
        """
        found = [] if name.startswith("-") else self._gpg.list_keys(True, keys=[name])
        keys = {record["fingerprint"]: Key.of_record(record) for record in found}
        if not keys:
            raise CredentialError(
                f"{self.home} has no secret key of {name}",
                "see the secret keys: gpg --list-secret-keys; or import it: gpg --import FILE",
            )
        if len(keys) > 1:
            raise CredentialError(
                f"{name} matches {len(keys)} keys", f"name one by its fingerprint: {' or '.join(keys)}"
            )
        return next(iter(keys.values()))

    def has_no_passphrase(self, key: Key) -> bool:
        """Return whether gpg-agent keeps a key without a passphrase (GnuPG agent/keyformat.txt)."""
        try:
            content = files.read_regular(
                os.path.join(self.home, "private-keys-v1.d", f"{key.grip}.key"), _LARGEST_KEY
            )
        except OSError:
            return False
        return b"(private-key" in content or b"11:private-key" in content

    def make(self, *, protected: bool, passphrase: str = "") -> Key:
        """Make a key.

        Args:
            protected: Whether it has a passphrase.
            passphrase: The passphrase, which gpg-agent then knows for a while; empty to let its pinentry ask.

        Raises:
            StoreUnavailable: gpg made none.
        """
        wanted = self._gpg.gen_key_input(
            key_type="EDDSA",
            key_curve="ed25519",
            subkey_type="ECDH",
            subkey_curve="cv25519",
            name_real="Password store",
            name_email=f"{_user()}@{socket.gethostname()}",
            expire_date=0,
            no_protection=not protected,
            **({"passphrase": passphrase} if passphrase else {}),
        )
        made = self._gpg.gen_key(wanted)
        if not made.fingerprint:
            messages = [line for line in made.stderr.splitlines() if line.startswith("gpg: ")]
            reason = messages[-1].removeprefix("gpg: ") if messages else made.status
            raise StoreUnavailable(
                f"gpg made no key: {reason}",
                "try again where pinentry (apt install pinentry-curses) can ask for a passphrase; "
                "for a machine without users: --no-passphrase",
            )
        if passphrase:
            probe = self._gpg.encrypt(b"probe", made.fingerprint, always_trust=True)
            self._gpg.decrypt(str(probe), passphrase=passphrase, extra_args=["--pinentry-mode", "loopback"])
        return self.find(made.fingerprint)


def make_private(directory: str) -> None:
    """Make a directory that only the user can enter, or restrict an existing one of the user's.

    Raises:
        StoreUnavailable: It cannot be made, or belongs to another user.
    """
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        status = os.stat(directory)
        if status.st_uid != os.geteuid():
            raise StoreUnavailable(
                f"{directory} belongs to another user",
                f"run this as that user; or, as root: chown -R {os.geteuid()} {quoted(directory)}",
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.chmod(directory, 0o700)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot make {directory}: {error.strerror}", "name a directory that you can write to"
        ) from None


def _expired_subkey(record: dict[str, Any]) -> str:
    """Return the fingerprint of the newest encryption subkey that has expired, or nothing."""
    expired = []
    for key_id, _, fingerprint, *_ in record["subkeys"]:
        subkey = record["subkey_info"].get(key_id, {})
        if "e" in subkey.get("cap", "") and subkey.get("trust") == "e" and subkey.get("expires"):
            expired.append((subkey.get("date", ""), fingerprint))
    return str(max(expired)[1]) if expired else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a user that the password database does not have

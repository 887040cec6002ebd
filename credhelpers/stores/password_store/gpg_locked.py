"""Why asking for the passphrase of a locked GPG key failed, and how to unlock the key."""

import os

from credhelpers import process
from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store.gpg_status import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.stores.password_store.gpg import Gpg
    from credhelpers.stores.password_store.gpg_status import Status

_GREETING_SECONDS = 1.0

# libgpg-error's codes; the lower 16 bits of the number in a status line.
_CANCELLED = (99, 198)
_NO_PINENTRY = 85
_NOT_ANSWERED = 62
_LOCKED = (11, 0x8066, 0x8023, 0x8051)  # bad passphrase; not a terminal, none that may or can be opened


class LockedKey:
    """The errors about a key whose passphrase gpg needed.

    Args:
        path: The encrypted file.
        status: gpg's status lines and messages.
        gpg: Ran it.
    """

    def __init__(self, path: str, status: "Status", gpg: "Gpg") -> None:
        self._status = status
        self._gpg = gpg
        decrypt = f"GPG_TTY=$(tty) gpg --decrypt --output /dev/null {quoted(path)}"
        self._unlock = f"unlock it in a terminal: {decrypt}"
        # script(1) makes a terminal that belongs to the user.
        self._unlock_elsewhere = (
            f"unlock it in a terminal that belongs to you: script -qec {quoted(decrypt)} /dev/null"
        )

    def of_code(self, code: int) -> StoreUnavailable:
        """Return the error for libgpg-error's code."""
        if code in _CANCELLED:
            return _locked(
                "the prompt for the GPG key's passphrase was cancelled", "try again, or " + self._unlock
            )
        if code == _NO_PINENTRY:
            return no_pinentry(self._gpg, self._unlock)
        foreign = self._foreign_terminal()
        if foreign:
            return _locked(
                f"the GPG key is locked, and gpg cannot ask for its passphrase on the terminal {foreign}: "
                "it belongs to another user, as it does after su or sudo",
                self._unlock_elsewhere,
            )
        if code == _NOT_ANSWERED:
            return _locked(
                "the prompt for the GPG key's passphrase was not answered in time",
                "try again, or " + self._unlock,
            )
        reason = self._status.reason(2)
        if code in _LOCKED:
            cause = f"the GPG key is locked, and gpg cannot ask for its passphrase here: {reason}"
            return _locked(cause, self._unlock)
        return StoreUnavailable(f"gpg cannot use the secret key: {reason}", self._unlock)

    def of_wrong_passphrase(self) -> StoreUnavailable:
        """Return the error for a prompt that was answered in vain."""
        return _locked("the GPG key's passphrase was missing or wrong", "try again, or " + self._unlock)

    def of_stopped(self) -> StoreUnavailable:
        """Return the error for a gpg that was killed."""
        if self._status.was_prompted and self._gpg.is_attended:
            return _locked(
                f"the prompt for the GPG key's passphrase was not answered within {self._gpg.patience:g} s",
                "try again, or " + self._unlock,
            )
        cause = f"gpg did not answer within {self._gpg.patience:g} s: "
        cause += "most likely the key is locked, with no terminal to ask for its passphrase"
        unlock = self._unlock_elsewhere if self._foreign_terminal() else self._unlock
        return StoreUnavailable(cause, unlock, fault="hangs")

    def _foreign_terminal(self) -> str:
        """Return a terminal that this user may not open, when there is no other; may be empty."""
        if self._gpg.terminal:
            return ""
        return next(filter(_belongs_to_another_user, self._gpg.terminals), "")


def no_pinentry(gpg: "Gpg", unlock: str) -> StoreUnavailable:
    """Return the error for a pinentry that is not installed, or that the configuration names wrongly.

    Args:
        gpg: Its agent needs the pinentry.
        unlock: How to unlock the key when there is one.
    """
    configuration = f"{gpg.home}/gpg-agent.conf"
    named = _pinentry_in(configuration)
    cause = "the GPG key is locked, and gpg-agent has no pinentry to ask for its passphrase"
    install = "install one: apt install pinentry-curses, or dnf install pinentry"
    if not named:
        return StoreUnavailable(cause, f"{install}; then {unlock}", fault="no-pinentry")
    fault = "does not work"
    if not os.path.lexists(named):
        fault = "does not exist"
    elif not os.access(named, os.X_OK):
        fault = "may not be executed"
    drop = f"sed -i.bak '/^pinentry-program/d' {quoted(configuration)} && gpgconf --kill gpg-agent"
    if process.find(("pinentry",), gpg.environ) is None:
        drop = f"{install}; {drop}"
    return StoreUnavailable(
        f"{cause}: {named}, which {configuration} names, {fault}",
        f"let it find another: {drop}; then {unlock}",
        fault="no-pinentry",
    )


def has_pinentry(gpg: "Gpg") -> bool:
    """Return whether the pinentry that the agent would start greets as pinentries do; it asks nothing."""
    program = _pinentry_in(f"{gpg.home}/gpg-agent.conf") or process.find(("pinentry",), gpg.environ)
    if program is None:
        return False
    try:
        outcome = process.run([program], gpg.environ, b"BYE\n", _GREETING_SECONDS, 1 << 16)
    except OSError:
        return False
    return outcome.output.startswith(b"OK")


def _locked(cause: str, remedy: str) -> StoreUnavailable:
    return StoreUnavailable(cause, remedy, fault="locked")


def _pinentry_in(configuration: str) -> str:
    """Return the pinentry that gpg-agent's configuration names; may be empty."""
    words = [line.split(None, 1) for line in read_text(configuration).splitlines()]
    named = [word[1].strip() for word in words if len(word) > 1 and word[0] == "pinentry-program"]
    return named[-1] if named else ""


def _belongs_to_another_user(path: str) -> bool:
    try:
        return os.stat(path).st_uid != os.geteuid()
    except OSError:
        return False

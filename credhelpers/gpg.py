"""GnuPG, started once for each need: decrypt, encrypt, and who signed; never a secret in its arguments."""

import os
import sys

from credhelpers import process, settings
from credhelpers.credential import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.process import Outcome

ALONE_SECONDS = 4.5
"""How long gpg may take when nobody can be asked for a passphrase: callers are promised an answer in 5 s."""
ATTENDED_SECONDS = 120.0
"""How long gpg may take when a person may have to find a passphrase, a card or the key to touch."""

_LIMIT = 8 << 20  # bytes; no secret and no message is near it
# The options of pass itself (password-store.sh, GPG_OPTS) but --quiet, which hides why gpg failed, and one
# more: no key is looked for on the network. What the user adds stands before them.
_OPTIONS = [
    "--yes",
    "--batch",
    "--compress-algo=none",
    "--no-encrypt-to",
    "--no-auto-key-locate",
    "--status-fd=3",
]


class Gpg:
    """Runs the user's gpg.

    Args:
        environ: The client's environment; ``PASSWORD_STORE_GPG_OPTS`` stands before all other arguments.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._environ = dict(environ)
        self._options = environ.get("PASSWORD_STORE_GPG_OPTS", "").split()
        self._terminal = terminal(environ)
        if self._terminal:
            self._environ["GPG_TTY"] = self._terminal
        home = settings.home_directory(environ)
        if home:
            self._environ["HOME"] = home

    def decrypt(self, encrypted: "bytes | int", path: str) -> bytes:
        """Return the plain content of an encrypted file.

        Args:
            encrypted: What is in it, or a descriptor by which it is open for reading.
            path: Its name, for the person who must act when it cannot be decrypted.

        Raises:
            StoreUnavailable: gpg cannot do it, for the reason given.
        """
        outcome = self._run(["--quiet", "--decrypt"], encrypted)
        if not _is_decrypted(outcome) and self._may_ask_again(outcome):
            if isinstance(encrypted, int):
                os.lseek(encrypted, 0, os.SEEK_SET)
            outcome = self._run(["--decrypt"], encrypted)
        if not _is_decrypted(outcome):
            from credhelpers import gpg_failure

            raise gpg_failure.of_decryption(outcome, path, self._patience)
        return outcome.output

    def encrypt(self, content: bytes, recipients: list[str]) -> bytes:
        """Return a content encrypted so that each recipient can decrypt it.

        Args:
            content: What to encrypt.
            recipients: Keys as the user names them: fingerprints, key ids or e-mail addresses.

        Raises:
            StoreUnavailable: gpg cannot do it, for the reason given.
        """
        outcome = self._run([*(f"--recipient={key}" for key in recipients), "--encrypt"], content)
        if outcome.exit_status != 0 or not outcome.output:
            from credhelpers import gpg_failure

            raise gpg_failure.of_encryption(outcome, self._describe, self._patience)
        return outcome.output

    def signers(self, content: bytes, signature: str) -> set[str]:
        """Return the fingerprints, of keys and their primary keys, that signed a content validly.

        Args:
            content: What was signed.
            signature: The file with the detached signature.
        """
        outcome = self._run(["--verify", "--", signature, "-"], content)
        fingerprints: set[str] = set()
        for line in outcome.status.decode(errors="replace").splitlines():
            fields = line.split()
            if fields[:2] == ["[GNUPG:]", "VALIDSIG"]:
                fingerprints |= {fields[2], fields[-1]}  # the first and the last field (doc/DETAILS)
        return fingerprints

    def _describe(self, key: str) -> str:
        """Return what gpg knows of a public key, in its colon format (doc/DETAILS)."""
        outcome = self._run(["--with-colons", "--list-keys", "--", key], b"")
        return outcome.output.decode(errors="replace")

    def _may_ask_again(self, outcome: "Outcome") -> bool:
        """Tell whether gpg may be run once more to say why it failed, and nobody sees a prompt twice.

        ``--quiet`` saves a seventh of gpg's time, and hides why a key was of no use.
        """
        prompted = b"[GNUPG:] PINENTRY_LAUNCHED" in outcome.status and self._patience > ALONE_SECONDS
        return outcome.exit_status is not None and not prompted

    @property
    def _patience(self) -> float:
        return ATTENDED_SECONDS if self._terminal or _has_display(self._environ) else ALONE_SECONDS

    def _run(self, arguments: list[str], given: "bytes | int") -> "Outcome":
        program = process.find(("gpg2", "gpg"), self._environ)
        if program is None:
            raise StoreUnavailable(
                "GnuPG is not installed, or not on PATH",
                "install it: apt install gnupg, or dnf install gnupg2",
            )
        command = [program, *self._options, *_OPTIONS, *arguments]
        try:
            return process.run(command, self._environ, given, self._patience, _LIMIT)
        except OSError as error:
            raise StoreUnavailable(f"cannot start {program}: {error.strerror}") from None


def _is_decrypted(outcome: "Outcome") -> bool:
    return outcome.exit_status == 0 and b"[GNUPG:] DECRYPTION_OKAY" in outcome.status


def terminal(environ: "Mapping[str, str]") -> str:
    """Return the terminal on which pinentry may ask, or nothing."""
    named = environ.get("GPG_TTY", "")
    if named.startswith("/dev/"):
        try:
            descriptor = os.open(named, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            pass  # of a session that is over, or of another user
        else:
            os.close(descriptor)
            return named
    for descriptor in (0, 2, 1):
        if os.isatty(descriptor):
            return os.ttyname(descriptor)
    return ""


def _has_display(environ: "Mapping[str, str]") -> bool:
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")) or sys.platform == "darwin"

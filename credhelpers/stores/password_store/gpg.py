"""GnuPG, run as pass runs it: who signed, and what it knows of keys; never a secret in its arguments."""

import os

from credhelpers import paths, process
from credhelpers.credential import StoreUnavailable
from credhelpers.stores.password_store.gpg_status import status_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credhelpers.process import Outcome

_ALONE_SECONDS = 4.5
"""How long gpg may take when nobody can be asked for a passphrase: callers are promised an answer in 5 s."""
_ATTENDED_SECONDS = 120.0
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
_JUDGEMENTS = ("GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG")


class Gpg:
    """Runs the user's gpg.

    Args:
        environ: The client's environment; ``PASSWORD_STORE_GPG_OPTS`` stands before all other arguments.

    Attributes:
        terminal: Where pinentry may ask for a passphrase; may be empty.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._environ = dict(environ)
        self._options = environ.get("PASSWORD_STORE_GPG_OPTS", "").split()
        self.terminal = terminal(environ)
        if self.terminal:
            self._environ["GPG_TTY"] = self.terminal
        home = paths.home_directory(environ)
        if home:
            self._environ["HOME"] = home

    def signers(self, content: bytes, signature: str) -> dict[str, str]:
        """Return the fingerprints, of keys and their primary keys, that signed a content.

        Each with the keyword of the status line that judges its signature: GOODSIG is the only good one;
        VALIDSIG alone follows EXPSIG, EXPKEYSIG and REVKEYSIG too.

        Args:
            content: What was signed.
            signature: The file with the detached signature.
        """
        outcome = self.run(["--verify", "--", signature, "-"], content)
        signers: dict[str, str] = {}
        judgement, key = "", ""
        for keyword, *fields in status_lines(outcome.status):
            if keyword == "NEWSIG":
                judgement = ""
            elif keyword in _JUDGEMENTS:
                judgement = keyword if not judgement else "BADSIG"  # one to a signature
                key = fields[0] if fields else ""
            elif keyword == "VALIDSIG" and judgement and fields and key and fields[0].endswith(key):
                for fingerprint in (fields[0], fields[-1]):  # the first and the last field (doc/DETAILS)
                    if signers.get(fingerprint) != "GOODSIG":
                        signers[fingerprint] = judgement
                judgement = ""
        return signers

    def describe(self, key: str) -> str:
        """Return what gpg knows of a public key, in its colon format (doc/DETAILS)."""
        outcome = self.run(["--with-colons", "--with-secret", "--list-keys", "--", key], b"")
        return outcome.output.decode(errors="replace")

    def describe_own(self) -> str:
        """Return what gpg knows of the secret keys, in its colon format."""
        outcome = self.run(["--with-colons", "--list-secret-keys"], b"")
        return outcome.output.decode(errors="replace")

    @property
    def environ(self) -> "Mapping[str, str]":
        """The environment in which gpg runs."""
        return self._environ

    @property
    def is_attended(self) -> bool:
        """Whether there is a terminal or a display on which a passphrase can be asked for."""
        return bool(self.terminal) or _has_display(self._environ)

    @property
    def patience(self) -> float:
        """Seconds after which gpg is killed."""
        return _ATTENDED_SECONDS if self.is_attended else _ALONE_SECONDS

    def terminals(self) -> "Iterator[str]":
        """Return the terminals that there seem to be, usable or not."""
        return _terminals(self._environ)

    def run(self, arguments: list[str], stdin: "bytes | int") -> "Outcome":
        """Run gpg with these arguments behind the user's and ours.

        Args:
            arguments: Its command and that command's options; never a secret.
            stdin: Its standard input: content, or a descriptor to read on.

        Raises:
            StoreUnavailable: It cannot be started.
        """
        program = process.find(("gpg2", "gpg"), self._environ)
        if program is None:
            raise StoreUnavailable(
                "GnuPG is not installed, or not on PATH",
                "install it: apt install gnupg, or dnf install gnupg2",
            )
        command = [program, *self._options, *_OPTIONS, *arguments]
        try:
            return process.run(command, self._environ, stdin, self.patience, _LIMIT)
        except OSError as error:
            raise StoreUnavailable(
                f"cannot start {program}: {error.strerror}", "install GnuPG again, or correct PATH"
            ) from None


def terminal(environ: "Mapping[str, str]") -> str:
    """Return the terminal on which pinentry may ask, or nothing."""
    return next((name for name in _terminals(environ) if _is_usable(name)), "")


def _terminals(environ: "Mapping[str, str]") -> "Iterator[str]":
    """Return the terminals that there seem to be; some may be another user's, whom su or sudo left behind."""
    named = environ.get("GPG_TTY", "")
    if named.startswith("/dev/"):
        yield named
    for descriptor in (0, 2, 1):
        try:
            yield os.ttyname(descriptor)
        except OSError:
            continue  # no terminal, or one of another container, which has no name here


def _is_usable(terminal: str) -> bool:
    """Return whether pinentry, which runs as this user, can open a terminal by its name."""
    try:
        os.close(os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _has_display(environ: "Mapping[str, str]") -> bool:
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))

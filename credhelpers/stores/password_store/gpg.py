"""GnuPG, as pass runs it: verify a signature, describe keys; a secret is never in its arguments."""

import os

from credhelpers import paths, process
from credhelpers.credential import StoreUnavailable
from credhelpers.stores.password_store.gpg_status import status_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credhelpers.process import Outcome

_ALONE_SECONDS = 4.5
"""How long gpg may take when it cannot ask for a passphrase: the caller is to get an answer within 5 s."""
_ATTENDED_SECONDS = 120.0
"""How long gpg may take when a person may have to find a passphrase, a card or the key to touch."""

_LIMIT = 8 << 20  # bytes; no secret and no message is near it
# The options of pass itself (password-store.sh, GPG_OPTS) without --quiet, which hides why gpg failed, and
# with one more, to look for no key on the network. The user's own options come before them.
_OPTIONS = ["--yes", "--batch", "--compress-algo=none", "--no-encrypt-to", "--no-auto-key-locate"]
_JUDGEMENTS = ("GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG")


class Gpg:
    """Runs the user's gpg.

    Args:
        environ: The client's environment; ``PASSWORD_STORE_GPG_OPTS`` comes before all other arguments.

    Attributes:
        environ: The environment in which gpg runs.
        terminal: Where pinentry may ask for a passphrase; may be empty.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = dict(environ)
        self._options = environ.get("PASSWORD_STORE_GPG_OPTS", "").split()
        self.terminal = terminal(environ)
        if self.terminal:
            self.environ["GPG_TTY"] = self.terminal
        home = paths.home_directory(environ)
        if home:
            self.environ["HOME"] = home

    def signers(self, content: bytes, signature: str) -> dict[str, str]:
        """Return the fingerprints, of keys and their primary keys, that signed a content.

        Each has the keyword of the status line that judges its signature; only GOODSIG is good. VALIDSIG does
        not say so: it follows EXPSIG, EXPKEYSIG and REVKEYSIG too.

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
                judgement = keyword if not judgement else "BADSIG"  # there is one for each signature
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
    def is_attended(self) -> bool:
        """Whether there is a terminal or a display on which to ask for a passphrase."""
        return bool(self.terminal or self.environ.get("DISPLAY") or self.environ.get("WAYLAND_DISPLAY"))

    @property
    def patience(self) -> float:
        """Seconds after which gpg is killed."""
        return _ATTENDED_SECONDS if self.is_attended else _ALONE_SECONDS

    @property
    def terminals(self) -> list[str]:
        """The names of all terminals, usable or not."""
        return list(_terminals(self.environ))

    @property
    def home(self) -> str:
        """GnuPG's home directory."""
        return self.environ.get("GNUPGHOME") or self.environ.get("HOME", "") + "/.gnupg"

    def run(self, arguments: list[str], stdin: "bytes | int") -> "Outcome":
        """Run gpg with these arguments behind the user's and ours.

        Args:
            arguments: Its command and that command's options; never a secret.
            stdin: Its standard input: content, or a descriptor to read on.

        Raises:
            StoreUnavailable: It cannot be started.
        """
        program = find_gpg(self.environ)
        command = [program, *self._options, *_OPTIONS, "--status-fd=3", *arguments]
        try:
            return process.run(command, self.environ, stdin, self.patience, _LIMIT)
        except OSError as error:
            raise StoreUnavailable(
                f"cannot start {program}: {error.strerror}",
                "install GnuPG again, or correct PATH",
                fault="gpg-broken",
            ) from None


def find_gpg(environ: "Mapping[str, str]") -> str:
    """Return the path of gpg.

    Raises:
        StoreUnavailable: It is not on ``PATH``.
    """
    program = process.find(("gpg2", "gpg"), environ)
    if program is None:
        raise StoreUnavailable(
            "GnuPG is not installed, or not on PATH", "install it: apt install gnupg, or dnf install gnupg2"
        )
    return program


def terminal(environ: "Mapping[str, str]") -> str:
    """Return the terminal on which pinentry may ask; may be empty."""
    return next(filter(_is_usable, _terminals(environ)), "")


def _terminals(environ: "Mapping[str, str]") -> "Iterator[str]":
    """Return the names of the terminals; after su or sudo they may belong to another user."""
    named = environ.get("GPG_TTY", "")
    if named.startswith("/dev/"):
        yield named
    for descriptor in (0, 2, 1):
        try:
            yield os.ttyname(descriptor)
        except OSError:
            continue  # not a terminal, or one of another container, which has no name here


def _is_usable(terminal: str) -> bool:
    """Return whether pinentry, which runs as this user, can open a terminal by its name."""
    try:
        os.close(os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True

"""Why gpg failed, read off its status lines (doc/DETAILS), in words for the person who must act."""

from credhelpers.credential import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credhelpers.process import Outcome

# libgpg-error's codes; the lower 16 bits of the number in a status line.
_CANCELLED = (99, 198)
_NO_PINENTRY = 85
_LOCKED = (11, 62, 0x8066)  # bad passphrase, timeout, not a terminal
_NO_FILE = 0x8051
_NOT_TRUSTED = "10"  # the reason in INV_RECP


def of_decryption(outcome: "Outcome", path: str, patience: float) -> StoreUnavailable:
    """Return why gpg did not decrypt.

    Args:
        outcome: What gpg left.
        path: The encrypted file.
        patience: Seconds after which gpg was killed.
    """
    status = _Status(outcome)
    unlock = f"unlock it in a terminal: GPG_TTY=$(tty) gpg --decrypt --output /dev/null {_quoted(path)}"
    if outcome.exit_status is None:
        return _of_stopped(outcome, patience, unlock)
    home = _of_home(status)
    if home:
        return home
    code = status.error("pkdecrypt_failed", "get_passphrase")
    if code is not None:
        return _of_secret_key(code, status, unlock)
    if status.was_prompted:
        return StoreUnavailable(
            "the GPG key's passphrase was asked for, and not given or not right", "try again, or " + unlock
        )
    return _of_content(outcome, status, path)


def of_encryption(outcome: "Outcome", describe: "Callable[[str], str]", patience: float) -> StoreUnavailable:
    """Return why gpg did not encrypt.

    Args:
        outcome: What gpg left.
        describe: Returns what gpg knows of a key, in its colon format; nothing for an unknown key.
        patience: Seconds after which gpg was killed.
    """
    status = _Status(outcome)
    if outcome.exit_status is None:
        return _of_stopped(outcome, patience, "see what keeps it: gpg --list-keys")
    home = _of_home(status)
    if home:
        return home
    for line in status.lines("INV_RECP"):
        reason, key = line[0], " ".join(line[1:])
        if reason == _NOT_TRUSTED:
            return StoreUnavailable(
                f"the GPG key {key} is not trusted",
                f"if it is the right one, say so: gpg --lsign-key {_quoted(key)}",
            )
        return _of_key(key, describe(key))
    return StoreUnavailable(f"gpg cannot encrypt: {status.reason(1)}", "try it: gpg --encrypt")


def _of_content(outcome: "Outcome", status: "_Status", path: str) -> StoreUnavailable:
    """Say what is wrong with the file or with whom it is for."""
    again = "store the credentials again: docker login"
    if outcome.exit_status == 0:
        return StoreUnavailable(f"{path} is damaged or not encrypted", again)
    keys = status.values("NO_SECKEY")
    if keys:
        return StoreUnavailable(
            f"there is no secret key to decrypt {path}; it is encrypted for {', '.join(keys)}",
            f"import that key: gpg --import <file>; or {again}",
        )
    return StoreUnavailable(f"{path} is damaged: {status.reason(1)}", again)


def _of_secret_key(code: int, status: "_Status", unlock: str) -> StoreUnavailable:
    if code in _CANCELLED:
        return StoreUnavailable(
            "the prompt for the GPG key's passphrase was cancelled", "try again, or " + unlock
        )
    if code == _NO_PINENTRY:
        return StoreUnavailable(
            "the GPG key is locked, and gpg-agent has no pinentry to ask for its passphrase",
            "install one: apt install pinentry-curses, or dnf install pinentry; then " + unlock,
        )
    if code in _LOCKED:
        return StoreUnavailable(
            f"the GPG key is locked, and its passphrase cannot be asked for here: {status.reason(2)}", unlock
        )
    return StoreUnavailable(f"gpg cannot use the secret key: {status.reason(2)}", unlock)


def _of_key(key: str, description: str) -> StoreUnavailable:
    """Say what is wrong with a recipient: the validity of the key, then that of its encryption subkeys."""
    records = [line.split(":") for line in description.splitlines()]
    validities = [record[1] for record in records if record[0] == "pub"]
    parts = [record[1] for record in records if record[0] == "sub" and "e" in record[11]]
    fingerprints = [record[9] for record in records if record[0] == "fpr"]
    another = "choose another key: pass init <your GPG key>"
    if not validities:
        return StoreUnavailable(
            f"there is no public key of {key}", f"import it: gpg --import <file>; or {another}"
        )
    if "r" in validities:
        return StoreUnavailable(f"the GPG key {key} has been revoked", another)
    if "e" in validities or "e" in parts:
        extend = f"gpg --quick-set-expire {fingerprints[0]} 1y"
        return StoreUnavailable(
            f"the GPG key {key} has expired", f"extend it: {extend} && {extend} '*'; or {another}"
        )
    return StoreUnavailable(f"the GPG key {key} cannot be encrypted to", another)


def _of_stopped(outcome: "Outcome", patience: float, remedy: str) -> StoreUnavailable:
    if len(outcome.output) > 1 << 20:
        return StoreUnavailable(
            "the entry is larger than any secret", "store the credentials again: docker login"
        )
    return StoreUnavailable(
        f"gpg did not answer within {patience:g} s: most likely the key is locked and nobody could be asked",
        remedy,
    )


def _of_home(status: "_Status") -> StoreUnavailable | None:
    """Say what keeps gpg from its keys or from its agent."""
    code = status.error("add_keyblock_resource")
    if code == _NO_FILE:
        return StoreUnavailable(
            f"GnuPG has no keys here: {status.reason_with('pubring')}",
            "set GNUPGHOME to where they are, or make one: gpg --full-generate-key",
        )
    if code is not None:
        return StoreUnavailable(
            f"gpg cannot read its keys: {status.reason_with('pubring')}",
            "make GNUPGHOME (~/.gnupg) belong to the user who runs this, with mode 0700",
        )
    agent = status.reason_with("agent")
    if agent and status.values("NO_SECKEY"):
        return StoreUnavailable(
            f"gpg cannot reach its agent: {agent}",
            "see what it says: gpg-connect-agent /bye; GNUPGHOME must be a short path with mode 0700",
        )
    return None


class _Status:
    """The status lines and messages of one run of gpg."""

    def __init__(self, outcome: "Outcome") -> None:
        lines = outcome.status.decode(errors="replace").splitlines()
        self._lines = [line.split(" ")[1:] for line in lines if line.startswith("[GNUPG:] ")]
        messages = outcome.errors.decode(errors="replace").splitlines()
        self._messages = [line.removeprefix("gpg: ").strip() for line in messages if line.startswith("gpg: ")]

    @property
    def was_prompted(self) -> bool:
        """Whether gpg-agent has started a pinentry."""
        return any(line[0] == "PINENTRY_LAUNCHED" for line in self._lines)

    def lines(self, keyword: str) -> list[list[str]]:
        """Return the arguments of each line with a keyword."""
        return [line[1:] for line in self._lines if line[0] == keyword and len(line) > 1]

    def values(self, keyword: str) -> list[str]:
        """Return the first argument of each line with a keyword."""
        return [arguments[0] for arguments in self.lines(keyword)]

    def error(self, *places: str) -> int | None:
        """Return the code of the first error that happened at one of these places."""
        for place, code, *_ in (line for line in self.lines("ERROR") if len(line) > 1):
            if place in places and code.isdecimal():
                return int(code) & 0xFFFF
        return None

    def reason(self, position: int) -> str:
        """Return one of gpg's own messages that give a reason, counted from the last one, which is 1."""
        reasons = [line for line in self._messages if ": " in line]
        return reasons[-min(position, len(reasons))] if reasons else "gpg does not say why"

    def reason_with(self, word: str) -> str:
        """Return the last of gpg's own messages with a word in it."""
        return next((line for line in reversed(self._messages) if word in line.lower()), "")


def _quoted(path: str) -> str:
    """Quote a word for a shell."""
    return "'" + path.replace("'", "'\\''") + "'"

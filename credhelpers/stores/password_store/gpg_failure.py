"""Why gpg failed, by its status lines (doc/DETAILS): the cause and the remedy."""

import os
from itertools import pairwise

from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store.entries import login_again
from credhelpers.stores.password_store.gpg_locked import LockedKey
from credhelpers.stores.password_store.gpg_status import Status, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.process import Outcome
    from credhelpers.stores.password_store.gpg import Gpg

_NO_FILE = 0x8051  # ENOENT in libgpg-error's codes
_NOT_TRUSTED = "10"  # the reason in INV_RECP
_LONGEST_HOME = 108 - len("/S.gpg-agent.browser") - 1  # unix(7)


def of_decryption(outcome: "Outcome", path: str, gpg: "Gpg") -> StoreUnavailable:
    """Return why gpg did not decrypt.

    Args:
        outcome: gpg's output and exit status.
        path: The encrypted file.
        gpg: Ran it.
    """
    status = Status(outcome)
    locked = LockedKey(path, status, gpg)
    if outcome.exit_status is None:
        return _too_large(outcome, path) or locked.of_stopped()
    setup = _of_setup(status, gpg)
    if setup:
        return setup
    code = status.error("pkdecrypt_failed", "get_passphrase")
    if code is not None:
        return locked.of_code(code)
    if status.was_prompted:
        return locked.of_wrong_passphrase()
    return _of_content(outcome, status, path)


def of_encryption(outcome: "Outcome", another: str, gpg: "Gpg") -> StoreUnavailable:
    """Return why gpg did not encrypt.

    Args:
        outcome: gpg's output and exit status.
        another: How to use another key.
        gpg: Ran it.
    """
    status = Status(outcome)
    if outcome.exit_status is None:
        return StoreUnavailable(
            f"gpg did not answer within {gpg.patience:g} s: {status.reason(1)}",
            "check what it waits for: gpg --list-keys",
            fault="hangs",
        )
    setup = _of_setup(status, gpg)
    if setup:
        return setup
    for line in status.lines("INV_RECP"):
        key = " ".join(line[1:])
        if line[0] == _NOT_TRUSTED:
            return _of_untrusted(key, gpg)
        return _of_key(key, gpg.describe(key), another)
    return StoreUnavailable(f"gpg cannot encrypt: {status.reason(1)}", another)


def extend(fingerprint: str, *, expired: bool, subkey: str) -> str:
    """Return the command that extends a key by a year.

    ``'*'`` does not work for a subkey: it means those that have not expired (gpg(1)).

    Args:
        fingerprint: The key's.
        expired: Whether the primary key has expired.
        subkey: The fingerprint of the subkey that has expired; may be empty.
    """
    commands = [f"gpg --quick-set-expire {fingerprint} 1y"] if expired else []
    commands += [f"gpg --quick-set-expire {fingerprint} 1y {subkey}"] if subkey else []
    return " && ".join(commands)


def extend_signing_key(description: str) -> str:
    """Return the same for a key that signs, from gpg's description of it."""
    return _extend(_records(description), "s")


def is_secret(description: str) -> bool:
    """Return whether gpg's description is of a key whose secret part is available."""
    return any(record[0] == "pub" and record[14] == "+" for record in _records(description))


def _too_large(outcome: "Outcome", path: str) -> StoreUnavailable | None:
    if len(outcome.output) > 1 << 20:
        return StoreUnavailable("the entry is larger than any secret", _again(path))
    return None


def _again(path: str) -> str:
    return f"store the credentials again: {login_again(path)}"


def _of_content(outcome: "Outcome", status: Status, path: str) -> StoreUnavailable:
    """Return what is wrong with the file, or with the keys it is encrypted for."""
    if outcome.exit_status == 0:
        return StoreUnavailable(f"{path} is damaged or not encrypted", _again(path))
    keys = status.values("NO_SECKEY")
    if keys:
        return StoreUnavailable(
            f"there is no secret key to decrypt {path}; it is encrypted for {', '.join(keys)}",
            f"import that key: gpg --import <file>; or {_again(path)}",
            fault="secret-key-missing",
        )
    return StoreUnavailable(f"{path} is damaged: {status.reason(1)}", _again(path))


def _of_untrusted(key: str, gpg: "Gpg") -> StoreUnavailable:
    """Return the error for an untrusted key: an own key needs owner trust, another one a signature."""
    cause = f"the GPG key {key} is not trusted"
    description = gpg.describe(key)
    fingerprint = next((record[9] for record in _records(description) if record[0] == "fpr"), key)
    can_sign = any(record[0] == "sec" and record[1] == "u" for record in _records(gpg.describe_own()))
    trust = f"echo {fingerprint}:6: | gpg --import-ownertrust"
    if can_sign and not is_secret(description):
        trust = f"gpg --yes --quick-lsign-key {fingerprint}"
    return StoreUnavailable(cause, f"if it is the right key, trust it: {trust}", fault="key-untrusted")


def _of_key(key: str, description: str, another: str) -> StoreUnavailable:
    """Return what is wrong with a recipient: with the key, or else with its encryption subkeys."""
    records = _records(description)
    primary = [record for record in records if record[0] == "pub"]
    parts = [record[1] for record in records if record[0] == "sub" and "e" in record[11]]
    if not primary:
        return StoreUnavailable(
            f"there is no public key for {key}",
            f"import it: gpg --import <file>; or {another}",
            fault="key-missing",
        )
    validities = [record[1] for record in primary]
    fingerprint = next(record[9] for record in records if record[0] == "fpr")
    if "r" in validities:
        return StoreUnavailable(f"the GPG key {key} has been revoked", another, fault="key-revoked")
    if any("D" in record[11] for record in primary):
        return StoreUnavailable(
            f"the GPG key {key} is disabled",
            f"enable it: gpg --batch --edit-key {fingerprint} enable quit; or {another}",
            fault="key-disabled",
        )
    if "e" in validities or "e" in parts:
        return StoreUnavailable(
            f"the GPG key {key} has expired",
            f"extend it: {_extend(records, 'e')}; or {another}",
            fault="key-expired",
        )
    add = f"gpg --quick-add-key {fingerprint} default encrypt"
    return StoreUnavailable(
        f"the GPG key {key} cannot encrypt",
        f"add a subkey that can: {add}; or {another}",
        fault="no-encryption-key",
    )


def _extend(records: list[list[str]], capability: str) -> str:
    """Return how to extend a key and the newest expired subkey that has a capability."""
    fingerprint = next(record[9] for record in records if record[0] == "fpr")
    expired = any(record[0] == "pub" and record[1] == "e" for record in records)
    subkeys = []
    for record, following in pairwise(records):
        # All subkeys of an expired key count as expired; those with a date have expired by themselves.
        if record[0] == "sub" and record[1] == "e" and capability in record[11] and record[6]:
            subkeys.append((record[5], following[9]))
    return extend(fingerprint, expired=expired, subkey=max(subkeys)[1] if subkeys else "")


def _records(description: str) -> list[list[str]]:
    """Return the records of gpg's colon format (doc/DETAILS), each with at least fifteen fields."""
    lines = [line.split(":") for line in description.splitlines()]
    return [line + [""] * (15 - len(line)) for line in lines]


def _of_setup(status: Status, gpg: "Gpg") -> StoreUnavailable | None:
    """Return what is wrong with gpg's options, keys or agent; None when that is not the cause."""
    option = status.reason_with("invalid option")
    if option.startswith("invalid option"):  # on the command line; about one in a file gpg only warns
        cause = f"gpg does not know one of its options: {option}"
        return StoreUnavailable(cause, "remove it from PASSWORD_STORE_GPG_OPTS", fault="unknown-option")
    code = status.error("add_keyblock_resource")
    if code == _NO_FILE:
        return StoreUnavailable(
            f"GnuPG has no keys here: {status.reason_with('pubring')}",
            "name the directory with your keys: export GNUPGHOME=DIR",
            fault="no-keys",
        )
    closed = _closed_secret(gpg.home) if status.values("NO_SECKEY") else ""
    if code is not None or closed:
        return StoreUnavailable(
            f"gpg cannot read its keys: {closed or status.reason_with('pubring')}",
            f"as root: chown -R {os.geteuid()} {quoted(gpg.home)} && chmod -R u+rwX,go= {quoted(gpg.home)}",
            fault="keys-unreadable",
        )
    closed = status.reason_with("temporary file")
    if "permission denied" in closed.lower():
        return StoreUnavailable(
            f"gpg cannot write to its directory: {closed}",
            f"give it access: chmod -R u+rwX,go= {quoted(gpg.home)}",
            fault="home-unwritable",
        )
    agent = status.reason_with("agent")
    if agent and status.values("NO_SECKEY"):
        return _of_agent(gpg.home, agent)
    return None


def _closed_secret(home: str) -> str:
    """Return a file of a secret key, or their directory, that this user cannot read, as sudo leaves them."""
    directory = f"{home}/private-keys-v1.d"
    try:
        names = os.listdir(directory)
    except OSError as error:
        return directory if isinstance(error, PermissionError) else ""
    paths = [f"{directory}/{name}" for name in names]
    return next((path for path in paths if not os.access(path, os.R_OK)), "")


def _of_agent(home: str, agent: str) -> StoreUnavailable:
    cause = f"gpg cannot reach its agent: {agent}"
    if "too long" in agent.lower() or len(home) > _LONGEST_HOME:
        return StoreUnavailable(
            cause,
            "move it to a shorter path, as those of its sockets may have 107 bytes: "
            f"mv {quoted(home)} DIR && export GNUPGHOME=DIR",
            fault="home-path-too-long",
        )
    configuration = f"{home}/gpg.conf"
    if "agent-program" in read_text(configuration):
        drop = f"sed -i.bak '/^agent-program/d' {quoted(configuration)}"
        return StoreUnavailable(cause, f"let gpg find its own agent: {drop}", fault="wrong-agent")
    return StoreUnavailable(
        cause,
        "install it: apt install gpg-agent, or dnf install gnupg2; "
        f"or give it access to its directory: chmod -R u+rwX,go= {quoted(home)}",
        fault="agent-unreachable",
    )

"""doctor's checks of the password store: whether it exists, and whether its key encrypts and decrypts."""

import os
import stat
from collections.abc import Mapping
from shlex import quote

from credhelpers import permissions, process
from credhelpers.credential import StoreUnavailable
from credhelpers.finding import Finding, fail, failed, ok, warn
from credhelpers.stores.password_store import entries, faults
from credhelpers.stores.password_store.encryption import decrypt, encrypt
from credhelpers.stores.password_store.entries import FOLDER
from credhelpers.stores.password_store.gpg import Gpg
from credhelpers.stores.password_store.gpg_locked import has_pinentry, no_pinentry
from credhelpers.stores.password_store.recipients import recipients
from credhelpers.stores.password_store.store import store_directory

_GPG, _STORE, _MODE, _ENCRYPT, _DECRYPT = "gpg", "password store", "store mode", "encryption", "decryption"
_ENTRY = "entry"
_PROBE = b"credhelpers doctor"
_PROBE_NAME = "what was encrypted just now"


def check_password_store(environ: Mapping[str, str]) -> list[Finding]:
    """Look at the password store; a probe is encrypted and decrypted in memory, and nothing is stored.

    No passphrase is asked for: a key that needs one counts as locked.
    """
    program = process.find(("gpg2", "gpg"), environ)
    if program is None:
        return [fail(_GPG, "missing", "GnuPG is not installed, or not on PATH", "apt install gnupg")]
    found = [ok(_GPG, f"{program} is there")]
    options = environ.get("PASSWORD_STORE_GPG_OPTS", "")
    options = f"{options} --pinentry-mode=error".strip()
    unattended = {"PASSWORD_STORE_GPG_OPTS": options, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    gpg = Gpg({**environ, **unattended})
    mode: list[Finding] = []
    try:
        directory = store_directory(environ)
        if os.path.isdir(directory):
            mode = [_mode(directory)]
        recipient = recipients(directory, os.path.join(directory, FOLDER), gpg, environ)
    except StoreUnavailable as error:
        return [*found, failed(_STORE, error), *mode]
    keys = recipient.keys
    found.append(ok(_STORE, f"{directory} encrypts for {', '.join(keys)}"))
    found += mode
    try:
        encrypted = encrypt(gpg, _PROBE, keys, f"choose another key: {recipient.change}")
    except StoreUnavailable as error:
        return [*found, failed(_ENCRYPT, error)]
    found.append(ok(_ENCRYPT, "the key can be encrypted to"))
    return [*found, _decryption(gpg, encrypted, keys), *_damaged(directory)]


def _mode(directory: str) -> Finding:
    status = os.stat(directory)
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}"
    if permissions.is_foreign(status):
        return fail(
            _MODE, "foreign", f"{directory} belongs to another user", f"chown -R $(id -u) {quote(directory)}"
        )
    if status.st_mode & 0o022:
        text = f"other users may write to {directory} ({mode}), so they can choose who decrypts"
        return fail(
            _MODE, "writable-by-others", text, permissions.own(f"chmod 700 {quote(directory)}", directory)
        )
    if status.st_mode & 0o077:
        text = f"other users may see the names of servers in {directory} ({mode})"
        return warn(
            _MODE, "readable-by-others", text, permissions.own(f"chmod 700 {quote(directory)}", directory)
        )
    return ok(_MODE, f"only you can open it ({mode})")


def _damaged(directory: str) -> list[Finding]:
    """Find entries that gpg cannot decrypt, as far as their first byte shows it."""
    folder = os.path.join(directory, FOLDER)
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        server = entries.server_of(name)
        if server is None:
            continue
        try:
            entry = entries.newest_entry(os.path.join(folder, name))
            if entry and not _is_encrypted(entry.path):
                text = f"the entry of {server} is damaged or not encrypted: {entry.path}"
                found.append(fail(_ENTRY, "damaged", text, entries.login_again(entry.path)))
        except StoreUnavailable as error:
            found.append(failed(_ENTRY, error))
        except OSError as error:
            found.append(failed(_ENTRY, faults.unreadable(error, directory)))
    return found


def _is_encrypted(path: str) -> bool:
    with open(path, "rb") as file:
        start = file.read(5)
    return start[:1] >= b"\x80" or start == b"-----"  # a packet, or ASCII armor (RFC 4880, 4.2 and 6.2)


def _decryption(gpg: Gpg, encrypted: bytes, keys: list[str]) -> Finding:
    try:
        decrypt(gpg, encrypted, _PROBE_NAME)
    except StoreUnavailable as error:
        if error.fault not in ("locked", "no-pinentry"):
            return failed(_DECRYPT, error)
        unlock = _unlock(keys[0])
        if not has_pinentry(gpg):  # for gpg, which may not ask here, there is never one
            return failed(_DECRYPT, no_pinentry(gpg, unlock))
        return fail(
            _DECRYPT, "locked", "the GPG key is locked: gpg-agent does not have its passphrase", unlock
        )
    return ok(_DECRYPT, "the key is unlocked and decrypts")


def _unlock(key: str) -> str:
    # The variable is set before the pipe, in which tty would find no terminal.
    pipe = f"echo probe | gpg --encrypt --recipient {quote(key)} | gpg --decrypt"
    return f"unlock it in a terminal: export GPG_TTY=$(tty) && {pipe}"

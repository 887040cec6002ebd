"""`credhelpers init pass`: sets up a password store that works."""

import os
import sys

import click

from credhelpers import files
from credhelpers.cli.init.probe import test_store
from credhelpers.cli.shared import options, output
from credhelpers.cli.shared.gpg_keys import Key, SecretKeys, make_private
from credhelpers.credential import CredentialError
from credhelpers.log import one_line
from credhelpers.stores.password_store import faults, git
from credhelpers.stores.password_store.entries import is_there, is_there_to_read
from credhelpers.stores.password_store.recipients import keys_in, read_key_list
from credhelpers.stores.password_store.store import PasswordStore, store_directory

_EXAMPLES = """\b
Examples:
  credhelpers init pass
  credhelpers init pass --key ada@example.com
  credhelpers init pass --no-passphrase
  PASSWORD_STORE_DIR=/srv/store credhelpers init pass --key 0123456789ABCDEF

\b
Exit status: 0 when the store works, also when it did before; 1 when it does not; 2 when the
command line is wrong."""


@click.command("pass", epilog=_EXAMPLES, short_help="Make a password store that works.")
@click.option("--key", metavar="ID", help="Encrypt for this key: fingerprint, key id or e-mail address.")
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Make a key without a passphrase, for a machine where no user can type one.",
)
@click.option("--force", is_flag=True, help="Change the key of a store: encrypt new secrets for this one.")
@options.json_report()
def init_pass(*, key: str | None, no_passphrase: bool, force: bool, as_json: bool) -> None:
    """Make a password store, as pass(1) keeps it, and a GnuPG key for it if there is none.

    The store is in ~/.password-store or PASSWORD_STORE_DIR, the keys are in ~/.gnupg or GNUPGHOME. At the end
    a test secret is stored, read back and erased. A store that exists is only tested.
    """
    if key and no_passphrase:
        raise click.UsageError("--no-passphrase makes a new key; leave out --key.")
    directory = store_directory(os.environ)
    keys = SecretKeys(os.environ)
    former = _former_keys(directory)
    report: dict[str, object] = {"store": directory, "made_key": False, "initialised": False}
    chosen = keys.find(key) if key else None
    if former and not chosen:
        recipients = former
    else:
        if chosen is None:
            chosen, report["made_key"] = _pick(keys, no_passphrase=no_passphrase, as_json=as_json)
        if chosen.fault:
            cause = f"the GPG key {chosen.fingerprint} {chosen.fault}"
            raise CredentialError(cause, chosen.remedy or "name another key")
        recipients = [chosen.fingerprint]
        report["initialised"] = _initialise(directory, former, chosen, keys, force=force)
    _make_private_store(directory)
    test_store(PasswordStore(os.environ), "password store")
    _show(report, recipients, as_json=as_json)


def _make_private_store(directory: str) -> None:
    """Make a store private, unless its umask says that other users share it."""
    if os.environ.get("PASSWORD_STORE_UMASK"):
        os.makedirs(directory, exist_ok=True)
    else:
        make_private(directory)


def _pick(keys: SecretKeys, *, no_passphrase: bool, as_json: bool) -> tuple[Key, bool]:
    """Return the key to use, and whether it is new."""
    if no_passphrase:
        output.warn(f"the new key has no passphrase: a user who can read {keys.home} can read the store")
        return keys.make(protected=False), True
    if as_json or not sys.stdin.isatty():
        raise CredentialError(
            "there is no terminal to ask which key to use",
            "name one with --key; or make one for a machine without users: --no-passphrase",
        )
    usable = [key for key in keys.list() if not key.fault]
    if usable:
        for number, key in enumerate(usable, 1):
            click.echo(f"{number:3}  {key.fingerprint}  {one_line(key.user_id)}")
        click.echo(f"{len(usable) + 1:3}  a new key")
        number = click.prompt("Encrypt for", type=click.IntRange(1, len(usable) + 1), default=1)
        if number <= len(usable):
            return usable[number - 1], False
    else:
        click.confirm("There is no usable GnuPG key. Make one?", default=True, abort=True)
    output.say("Choose a passphrase; gpg-agent asks for it again some time after the last use.")
    return keys.make(protected=True), True


def _former_keys(directory: str) -> list[str]:
    """Return the keys that the store's .gpg-id names."""
    path = os.path.join(directory, ".gpg-id")
    try:
        if not is_there_to_read(directory) or not is_there(path):
            return []
    except OSError as error:
        raise faults.unreadable(error, directory) from None
    return keys_in(read_key_list(path, os.environ))


def _initialise(directory: str, former: list[str], key: Key, keys: SecretKeys, *, force: bool) -> bool:
    """Write .gpg-id; return whether it was not there yet or named other keys."""
    if former and _means(former, key, keys):
        return False
    if former and not force:
        raise CredentialError(
            f"the store in {directory} encrypts for {', '.join(former)}",
            f"to encrypt all of it for the other key, too: pass init {key.fingerprint}; "
            "for new secrets only: --force",
        )
    _make_private_store(directory)
    path = os.path.join(directory, ".gpg-id")
    try:
        files.replace(path, f"{key.fingerprint}\n".encode())
    except OSError as error:
        raise faults.unwritable(error, directory) from None
    git.commit(directory, path, f"Set GPG id to {key.fingerprint}.", os.environ)
    if former:
        cause = f"existing secrets stay encrypted for {', '.join(former)} only"
        output.warn(cause, f"to encrypt them for the new key: pass init {key.fingerprint}")
    return True


def _means(names: list[str], key: Key, keys: SecretKeys) -> bool:
    """Return whether a list names only this key, in whatever spelling."""
    try:
        return {keys.find(name.removesuffix("!")).fingerprint for name in names} == {key.fingerprint}
    except CredentialError:
        return False


def _show(report: dict[str, object], recipients: list[str], *, as_json: bool) -> None:
    if as_json:
        output.report_json({**report, "keys": recipients})
        return
    done = "is ready" if report["initialised"] else "was ready already"
    tested = "a test secret was stored, read back and erased"
    output.say(f"The password store {report['store']} {done}: {tested}.", "green")
    output.say(f"It encrypts for {', '.join(recipients)}.")
    output.say("Next, let Docker use it: credhelpers setup --store pass")

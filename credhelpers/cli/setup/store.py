"""The store that setup makes ready: which one, and what has to be made for it."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import click

from credhelpers.cli.setup.survey import LOCKED, NO_COLLECTION, UNLOCKED, Survey
from credhelpers.cli.shared.commands import output_of
from credhelpers.cli.shared.gpg_keys import Key, SecretKeys
from credhelpers.config import Settings
from credhelpers.credential import CredentialError
from credhelpers.process import run
from credhelpers.stores.password_store import gpg
from credhelpers.stores.password_store.store import store_directory
from credhelpers.suite import AUTO, KEYRING, PASS

_SECONDS = 10.0
_LARGEST = 1 << 16  # bytes


@dataclass(frozen=True)
class StorePlan:
    """What has to be done until the store works.

    Attributes:
        name: ``pass``, ``keyring``, or another helper, which is taken as it is.
        text: What will be done, for people.
        key: The GnuPG key to encrypt a new password store for; None to make one, or for a store that exists.
        is_new: Whether a password store is made.
        protected: Whether a new key gets a passphrase.
    """

    name: str
    text: str
    key: Key | None = None
    is_new: bool = False
    protected: bool = False

    def prepare(self, context: click.Context) -> list[str]:
        """Make the store if there is none and test it; return what was made.

        Raises:
            CredentialError: It does not work.
        """
        if self.name == KEYRING.name:
            output_of(context, "init", KEYRING.name, "--json")
            return ["the keyring works"]
        if self.name != PASS.name:
            return []
        key = self.key
        if self.is_new and key is None:
            passphrase = _ask_for_passphrase() if self.protected else ""
            key = SecretKeys(os.environ).make(protected=self.protected, passphrase=passphrase)
        report = json.loads(
            output_of(context, "init", PASS.name, "--json", *(["--key", key.fingerprint] if key else []))
        )
        return [f"the password store {report['store']} works; it encrypts for {', '.join(report['keys'])}"]


def plan_store(
    store: str, survey: Survey, settings: Settings, environ: Mapping[str, str], *, headless: bool, asks: bool
) -> StorePlan:
    """Return how the store is made ready.

    Args:
        store: The helper that clients are to ask.
        survey: What is there.
        settings: The default of auto.
        environ: The environment.
        headless: Whether no user can type a passphrase or a password here.
        asks: Whether this command can ask for a passphrase now.

    Raises:
        CredentialError: It cannot be made without the user.
    """
    name = _behind(store, survey, settings, headless=headless)
    if name == KEYRING.name:
        what = {
            NO_COLLECTION: "make the keyring's default collection, and test it",
            LOCKED: "unlock the keyring, and test it",
            UNLOCKED: "test the keyring",
        }
        return StorePlan(name, what.get(survey.keyring, "test the keyring"))
    if name != PASS.name:
        return StorePlan(name, f"keep using docker-credential-{name}")
    directory = store_directory(environ)
    if survey.password_store:
        return StorePlan(name, f"test the password store {directory}")
    key, protected = _key(environ, headless=headless, asks=asks)
    if key:
        whose = f"the GnuPG key {key.fingerprint} ({key.user_id})"
    elif protected:
        whose = "a new GnuPG key; you choose its passphrase"
    else:
        whose = "a new GnuPG key without a passphrase"
    return StorePlan(
        name, f"make a password store in {directory} for {whose}, and test it", key, True, protected
    )


def _behind(store: str, survey: Survey, settings: Settings, *, headless: bool) -> str:
    """Return the store that keeps what no route names: the helper itself, or the one that auto asks."""
    if store != AUTO.name:
        return store
    named = settings.text("auto.default")
    if named or survey.password_store:
        return named or PASS.name
    # As soon as there is a password store, auto asks that one: what it had in the keyring would be lost.
    if survey.keyring and survey.helper == AUTO.name:
        return KEYRING.name
    can_open = survey.keyring == UNLOCKED or (survey.keyring and survey.has_display)
    return KEYRING.name if can_open and not headless else PASS.name


def _key(environ: Mapping[str, str], *, headless: bool, asks: bool) -> tuple[Key | None, bool]:
    """Return the key to use, None for a new one; and whether a new one gets a passphrase."""
    gpg.find_gpg(environ)
    home = environ.get("GNUPGHOME") or os.path.join(environ.get("HOME", "/"), ".gnupg")
    keys = SecretKeys(environ) if os.path.isdir(home) else None
    usable = [key for key in keys.list() if not key.fault] if keys else []
    if headless:
        return next((key for key in usable if keys and keys.has_no_passphrase(key)), None), False
    if usable and (asks or len(usable) == 1):
        return usable[0], False
    if usable:
        raise CredentialError(
            "there are several GnuPG keys, and no terminal to ask which one to use",
            "name one: credhelpers init pass --key ID; then run this again",
        )
    if not asks:
        raise CredentialError(
            "there is no store yet, and no terminal to ask for the passphrase of a new one",
            "make it without one, for a machine without users: credhelpers setup --headless --yes",
        )
    _check_pinentry(environ)
    return None, True


def _check_pinentry(environ: Mapping[str, str]) -> None:
    """Check that gpg-agent will be able to ask for the passphrase later.

    Raises:
        CredentialError: It has no pinentry.
    """
    program = shutil.which("gpgconf", path=environ.get("PATH", ""))
    if program is None:
        return
    outcome = run([program, "--list-components"], environ, b"", _SECONDS, _LARGEST)
    for line in outcome.output.decode(errors="replace").splitlines():
        name, _, path = line.partition(":")
        path = path.rpartition(":")[2].strip()
        if name == "pinentry" and path and not os.access(path, os.X_OK):
            raise CredentialError(
                f"{path} is missing, so gpg-agent could not ask for a passphrase later",
                "install it: apt install pinentry-curses; "
                "or, for a machine without users: credhelpers setup --headless",
            )


def _ask_for_passphrase() -> str:
    while True:
        entered: str = click.prompt(
            "Passphrase for the new GnuPG key", hide_input=True, confirmation_prompt="Again", err=True
        )
        if entered == entered.strip() and entered.isprintable():
            return entered
        click.echo("It must not begin or end with a space.", err=True)

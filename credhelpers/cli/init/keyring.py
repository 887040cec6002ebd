"""`credhelpers init keyring`: makes sure that the OS keyring keeps what it is given."""

import os

import click

from credhelpers.cli.init.probe import test_store
from credhelpers.cli.shared import options, output
from credhelpers.stores.os_keyring import names_another_backend, open_keyring
from credhelpers.stores.os_keyring.bus import NoService
from credhelpers.stores.os_keyring.service import SecretService

_LABEL = "Default keyring"  # as GNOME's own dialogs name it

_EXAMPLES = """\b
Examples:
  credhelpers init keyring
  credhelpers init keyring --json

\b
Exit status: 0 when the keyring works, also when it did before; 1 when it does not; 2 when the
command line is wrong."""


@click.command("keyring", epilog=_EXAMPLES, short_help="Make a keyring that works.")
@options.json_report()
def init_keyring(*, as_json: bool) -> None:
    """Make the keyring's default collection if there is none, and unlock it.

    The desktop asks for the password; without one the error names the command that starts the keyring. At the
    end a test secret is stored, read back and erased.
    """
    report = {"made_collection": False, "unlocked": False}
    if not names_another_backend(os.environ):
        _open_collection(report)
    test_store(open_keyring(os.environ), "keyring")
    if as_json:
        output.report_json(report)
        return
    output.say("The keyring is ready: a test secret was stored, read back and erased.", "green")
    output.say("Next, let Docker use it: credhelpers setup --store keyring")


def _open_collection(report: dict[str, bool]) -> None:
    """Make the default collection, or unlock it; without a Secret Service another keyring may be used."""
    try:
        service = SecretService(os.environ)
    except NoService:
        return
    try:
        collection = service.default_collection()
        if collection is None:
            collection = service.create_default_collection(_LABEL)
            report["made_collection"] = True
        if service.is_locked(collection):
            service.unlock([collection])
            report["unlocked"] = True
    finally:
        service.bus.close()

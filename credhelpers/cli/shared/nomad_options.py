"""The options of commands that configure a Nomad client, beside ``--nomad`` itself."""

import click

from credhelpers.clients import nomad
from credhelpers.paths import SYSTEM_FILE

directory = click.option(
    "--nomad-dir", metavar="DIR", help=f"Nomad's configuration, if not {nomad.DIRECTORY}."
)

system_config = click.option(
    "--system-config",
    metavar="FILE",
    default=SYSTEM_FILE,
    show_default=True,
    help="The configuration of the helpers for every user, which --nomad edits.",
)

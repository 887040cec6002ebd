"""`credhelpers`, the operator's command: the group, and what becomes of errors."""

import os

import click

from credhelpers import __version__, core_files
from credhelpers.cli.configure import configure
from credhelpers.cli.demo import demo
from credhelpers.cli.doctor import doctor
from credhelpers.cli.init import init
from credhelpers.cli.login import login, logout
from credhelpers.cli.logs import logs
from credhelpers.cli.migrate import migrate
from credhelpers.cli.refresh import refresh
from credhelpers.cli.status import status
from credhelpers.credential import CredentialError
from credhelpers.log import one_line


class _Commands(click.Group):
    """Commands whose errors are one line of cause and one of remedy; exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        if os.environ.get("NO_COLOR"):
            ctx.color = False  # also where somebody looks (no-color.org)
        try:
            return super().invoke(ctx)
        except CredentialError as error:
            if ctx.params.get("debug"):
                raise
            click.secho(f"credhelpers: {one_line(error.cause)}", fg="red", err=True)
            if error.remedy:
                click.echo(f"credhelpers: {one_line(error.remedy)}", err=True)
            ctx.exit(1)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-v", "--version", message="credhelpers %(version)s")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def main(*, debug: bool) -> None:
    """Set up Docker's credential helpers, and see what they do."""
    del debug  # read by the group when a command fails
    core_files.forbid()


main.add_command(configure)
main.add_command(demo)
main.add_command(doctor)
main.add_command(init)
main.add_command(login)
main.add_command(logout)
main.add_command(logs)
main.add_command(migrate)
main.add_command(refresh)
main.add_command(status)

"""`credhelpers`, the operator's command: the group of its commands, and how errors are shown."""

import errno
import io
import os
import sys
import traceback
from typing import Any

import click

from credhelpers import __version__, core_files
from credhelpers.cli.completion import completion
from credhelpers.cli.configure.command import configure
from credhelpers.cli.demo import demo
from credhelpers.cli.doctor.command import doctor
from credhelpers.cli.emulator import emulator
from credhelpers.cli.init.command import init
from credhelpers.cli.login.command import login
from credhelpers.cli.logout import logout
from credhelpers.cli.logs.command import logs
from credhelpers.cli.migrate.command import migrate
from credhelpers.cli.refresh import refresh
from credhelpers.cli.setup.command import setup
from credhelpers.cli.shared import output
from credhelpers.cli.shared.help_text import HelpText
from credhelpers.cli.status.command import status
from credhelpers.credential import CredentialError


class _Commands(click.Group):
    """Shows each error as one line of cause and one of remedy; exit status 1, or 130 for Ctrl-C."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command and end the process, also when its output cannot be written."""
        _prepare_streams()
        try:
            try:
                return super().main(*args, **options)
            finally:
                sys.stdout.flush()
        except OSError as error:
            if not _is_output_broken():
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still in the buffer
            if error.errno != errno.EPIPE:
                output.fail(f"cannot write to standard output: {error.strerror}")
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> object:
        if os.environ.get("NO_COLOR"):
            ctx.color = False  # also on a terminal (no-color.org)
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise output.usage_error(error) from None
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (click.Abort, KeyboardInterrupt) as error:
            if KeyboardInterrupt not in (type(error), type(error.__context__)):
                raise
            ctx.exit(130)
        except Exception as error:
            if ctx.params.get("debug") or _is_output_broken():
                raise
            output.fail(*_explain(error))
            ctx.exit(1)


def _prepare_streams() -> None:
    """Open closed streams, whose numbers files would get, and escape what a stream cannot encode."""
    is_closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  as long as the process
    if is_closed:
        output.fail("standard output is closed", "redirect it, for example to /dev/null: >/dev/null")
        sys.exit(1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_output_broken() -> bool:
    """Return whether standard output cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _explain(error: Exception) -> tuple[str, str]:
    """Return cause and remedy; of an unexpected error only kind and place, for its text may be secret."""
    if isinstance(error, CredentialError):
        return error.cause, error.remedy
    if isinstance(error, OSError) and error.filename:
        return f"cannot use {error.filename}: {error.strerror}", ""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return (
        f"internal error: {type(error).__name__} in {place}",
        "report it, with: credhelpers --debug COMMAND",
    )


click.Context.formatter_class = HelpText  # of every command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-v", "--version", message="credhelpers %(version)s")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def main(*, debug: bool) -> None:
    """Set up Docker's credential helpers, and see what they do."""
    del debug  # read by the group when a command fails
    core_files.forbid()


for _command in (
    completion,
    configure,
    demo,
    doctor,
    emulator,
    init,
    login,
    logout,
    logs,
    migrate,
    refresh,
    setup,
    status,
):
    main.add_command(_command)

"""`credhelpers`, the operator's command: the group of its commands, and how errors are shown."""

import errno
import io
import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from credhelpers import __version__, core_files
from credhelpers.cli.shared import output
from credhelpers.cli.shared.help_text import HelpText
from credhelpers.credential import CredentialError

# The module of each command and its line in the overview: a command costs the imports of no other one.
_COMMANDS = {
    "completion": ("completion", "Complete commands, servers and stores in a shell."),
    "configure": ("configure.command", "Tell clients which helper to ask."),
    "demo": ("demo", "See the helpers at work, on this machine."),
    "doctor": ("doctor.command", "Find out why a pull fails."),
    "emulator": ("emulator", "A stand-in for AWS on this machine."),
    "init": ("init.command", "Set up a place to keep credentials in."),
    "login": ("login.command", "Verify a credential, and store it."),
    "logout": ("logout", "Erase a registry's credential."),
    "logs": ("logs.command", "Show what the helpers have logged."),
    "migrate": ("migrate.command", "Move plaintext secrets into a store."),
    "refresh": ("refresh", "Fetch ECR tokens ahead of need."),
    "setup": ("setup.command", "From what is there to encrypted credentials."),
    "status": ("status.command", "Show every credential in use."),
}


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

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, short_help = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), cmd_name)
        command.short_help = short_help
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

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

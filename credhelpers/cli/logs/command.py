"""`credhelpers logs`: what the helpers did and why they failed, in the order of time."""

import json
import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta

import click
from click.shell_completion import CompletionItem

from credhelpers import permissions
from credhelpers.cli.logs.reading import Logs, Record
from credhelpers.cli.shared import options
from credhelpers.cli.shared.wrapping import columns, wrap
from credhelpers.credential import CredentialError
from credhelpers.log import one_line
from credhelpers.paths import state_directory
from credhelpers.state_fault import NO_HOME

_TICK = 0.2  # seconds between two searches for new lines
_COLOURS = {"debug": "bright_black", "info": "green", "warning": "yellow", "error": "red"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DEFAULT_LINES = 50
_INDENT = 4

_EXAMPLES = """\b
Examples:
  credhelpers logs
  credhelpers logs ecr-login -f
  credhelpers logs --since 2h
  credhelpers logs -n 1000 --json | jq 'select(.level == "error")'

\b
Exit status: 0, also when there is nothing to show, and when --follow is ended by Ctrl-C; 1
when a log cannot be read or the helper named has none; 2 when the command line is wrong."""


def _since(context: click.Context, option: click.Parameter, value: str | None) -> str:
    """Read a time, for click: how long ago, or an ISO date; return it as the logs write it."""
    del context, option
    if value is None:
        return ""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", value)
    try:
        when = (
            datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            if ago
            else datetime.fromisoformat(value)
        )
        return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        raise click.BadParameter("say 30s, 15m, 2h or 7d, or a time such as 2030-01-31T12:00") from None


def _complete(context: click.Context, argument: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del context, argument
    try:
        names = Logs(_directory(), None).helpers()
    except (CredentialError, OSError):
        return []  # a shell that completes shows no errors
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("helper", required=False, type=options.HelperName(), shell_complete=_complete)
@click.option("--follow", "-f", is_flag=True, help="Continue with new records, until Ctrl-C.")
@click.option(
    "--lines",
    "-n",
    metavar="N",
    type=click.IntRange(0),
    help=f"Show the last N records. [default: {_DEFAULT_LINES}; all with --since]",
)
@click.option(
    "--since", metavar="TIME", callback=_since, help="Show newer records only: 30s, 15m, 2h, 7d or a date."
)
@options.json_report("Show each record as a JSON object on a line of its own.")
def logs(helper: str | None, *, follow: bool, lines: int | None, since: str, as_json: bool) -> None:
    """Show the logs of the helpers, or of one such as ecr-login, merged by time.

    They are in ~/.ecr/log, or below AWS_ECR_CACHE_DIR. Times are UTC. Rotated logs are included.
    """
    directory = _directory()
    reading = Logs(directory, helper)
    try:
        records = [record for record in reading.new_records() if record.time >= since]
        if helper and not follow and helper not in reading.helpers():
            there = ", ".join(reading.helpers()) or "none yet"
            cause = f"{directory} has no log of {helper}; it has: {there}"
            raise CredentialError(cause, "show all logs: credhelpers logs")
        if lines is None:
            lines = len(records) if since else _DEFAULT_LINES
        _show(records[max(0, len(records) - lines) :], as_json=as_json)
        while follow:
            time.sleep(_TICK)
            _show(reading.new_records(), as_json=as_json)
    except OSError as error:
        if error.filename is None:
            raise  # it is the output that cannot be written
        remedy = permissions.to_read(error.filename, error)
        raise CredentialError(f"cannot read {error.filename}: {error.strerror}", remedy) from None
    except KeyboardInterrupt:
        return


def _directory() -> str:
    state = state_directory(os.environ)
    if state is None:
        raise CredentialError("there is no home directory, and so no logs", NO_HOME)
    return os.path.join(state, "log")


def _show(records: list[Record], *, as_json: bool) -> None:
    width = columns(sys.stdout)
    for record in records:
        click.echo(json.dumps(vars(record)) if as_json else wrap(_text(record), width, _INDENT))


def _text(record: Record) -> str:
    """Return a record as a line for people, with its control characters escaped."""
    level = click.style(
        f"{one_line(record.level):7}", fg=_COLOURS.get(record.level), bold=record.level == "error"
    )
    fields = "".join(
        f"  {click.style(one_line(name) + '=', dim=True)}{one_line(value)}"
        for name, value in record.fields.items()
    )
    time_and_level = f"{click.style(one_line(record.time), dim=True)} {level}"
    return f"{time_and_level} {one_line(record.helper):9} {one_line(record.message)}{fields}"

"""What the commands write: lines for people, reports for programs, and causes with their remedies."""

import json
import sys

import click

from credhelpers.cli.shared.wrapping import columns, wrap
from credhelpers.credential import CredentialError
from credhelpers.log import one_line

_NAME = "credhelpers: "
_INDENT = 4


def say(text: str, colour: str | None = None, *, indent: int = _INDENT) -> None:
    """Write one line to standard output, with no control character in it but tabs.

    Args:
        text: The line.
        colour: Its colour.
        indent: Columns before what does not fit into a terminal's first line.
    """
    click.secho(wrap(_escaped(text), columns(sys.stdout), indent), fg=colour)


def say_styled(start: str, text: str, *, indent: int, is_remedy: bool = False) -> None:
    """Write one line whose beginning has colours to standard output.

    Args:
        start: The beginning, as it is written.
        text: The rest, whose control characters are escaped.
        indent: Columns before what does not fit into a terminal's first line.
        is_remedy: Whether the rest is a remedy.
    """
    click.echo(wrap(_escaped(text), columns(sys.stdout), indent, is_remedy=is_remedy, first=start))


def quote(line: str, colour: str | None = None) -> None:
    """Write a line of a file to standard output; it is not wrapped."""
    click.secho(_escaped(line), fg=colour)


def warn(cause: str, remedy: str = "") -> None:
    """Write a warning to standard error, and below it what to do."""
    _complain("yellow", cause, remedy)


def fail(cause: str, remedy: str = "") -> None:
    """Write an error to standard error, and below it what to do."""
    _complain("red", cause, remedy)


def report_json(report: object) -> None:
    """Write a report to standard output."""
    click.echo(json.dumps(report, indent=2))


def failures(errors: dict[str, CredentialError]) -> list[dict[str, str]]:
    """Return the errors of several servers as reports have them."""
    return [
        {"server": server, "cause": error.cause, "remedy": error.remedy} for server, error in errors.items()
    ]


def fail_each(errors: dict[str, CredentialError]) -> None:
    """Write the error of each server to standard error."""
    for server, error in errors.items():
        fail(f"{server}: {error.cause}", error.remedy)


def usage_error(error: click.UsageError) -> click.UsageError:
    """Return an error of the command line with its message in lines that fit."""
    start = "Error: "  # click writes it
    message = wrap(error.format_message(), columns(sys.stderr), _INDENT, first=start)
    return click.UsageError(message.removeprefix(start), error.ctx)


def _complain(colour: str, cause: str, remedy: str) -> None:
    try:
        width = columns(sys.stderr)
        click.secho(wrap(one_line(cause), width, _INDENT, first=_NAME), fg=colour, err=True)
        if remedy:
            click.echo(wrap(one_line(remedy), width, _INDENT, is_remedy=True, first=_NAME), err=True)
    except OSError:
        return  # standard error is closed or full; the exit status remains


def _escaped(text: str) -> str:
    return "\t".join(map(one_line, text.split("\t")))

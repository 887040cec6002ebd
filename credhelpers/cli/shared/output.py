"""What the commands write: lines for people, reports for programs, and causes with their remedies."""

import json

import click

from credhelpers.credential import CredentialError
from credhelpers.log import one_line


def say(text: str, colour: str | None = None) -> None:
    """Write one line to standard output, with no control character in it but tabs."""
    click.secho("\t".join(map(one_line, text.split("\t"))), fg=colour)


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


def _complain(colour: str, cause: str, remedy: str) -> None:
    try:
        click.secho(f"credhelpers: {one_line(cause)}", fg=colour, err=True)
        if remedy:
            click.echo(f"credhelpers: {one_line(remedy)}", err=True)
    except OSError:
        return  # standard error is closed or full; the exit status remains

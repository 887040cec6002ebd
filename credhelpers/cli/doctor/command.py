"""`credhelpers doctor`: follows the path that Docker takes for a server, and says what is wrong with it."""

import json
import os
from collections import Counter

import click

from credhelpers.cli.doctor.diagnosis import diagnose
from credhelpers.cli.shared import options
from credhelpers.clients.docker_config import docker_config_path
from credhelpers.credential import CredentialError
from credhelpers.finding import FAIL, OK, WARN, Finding
from credhelpers.log import one_line

_COLOURS = {OK: "green", WARN: "yellow", FAIL: "bold red"}

_EXAMPLES = """\b
Examples:
  credhelpers doctor
  credhelpers doctor registry.example:5000
  credhelpers doctor 123456789012.dkr.ecr.eu-central-1.amazonaws.com --json

\b
Exit status: 0 when nothing fails, warnings or not; 1 when something fails; 2 when the
command line is wrong."""


@click.command(epilog=_EXAMPLES, short_help="Find out why a pull fails.")
@click.argument("server", required=False)
@options.docker_config
@options.json_report()
@click.pass_context
def doctor(context: click.Context, *, server: str | None, docker_config: str | None, as_json: bool) -> None:
    """Follow the path that Docker takes for SERVER, or for all that are configured.

    Each line says ok, warn or fail, and what mends it. The helper is asked as Docker asks it; no secret is
    ever shown. It ends within ten seconds, also without a network.
    """
    try:
        _report(context, docker_config_path(os.environ, docker_config), server, as_json=as_json)
    except OSError as error:  # of a file that vanished, or of a directory that may not be looked into
        if error.filename is None:
            raise  # it is the output that cannot be written
        raise CredentialError(f"cannot look at {error.filename}: {error.strerror}") from None


def _report(context: click.Context, path: str, server: str | None, *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    report = []
    for subject, findings in diagnose(path, server, os.environ):
        counts.update(finding.state for finding in findings)
        if as_json:
            report += [{"subject": subject, **vars(finding)} for finding in findings]
        else:
            _show(subject, findings)
    if as_json:
        click.echo(json.dumps({"ok": not counts[FAIL], "findings": report}, indent=2))
    else:
        _say(f"\n{counts[FAIL]} failed, {counts[WARN]} warnings, {counts[OK]} ok", "bold")
    context.exit(1 if counts[FAIL] else 0)


def _show(subject: str, findings: list[Finding]) -> None:
    _say(subject, "bold")
    for finding in findings:
        _say(f"  {finding.state:<4}  {finding.check}: {finding.text}", _COLOURS[finding.state], 6)
        if finding.remedy and finding.state != OK:
            _say(f"        -> {finding.remedy}")


def _say(line: str, style: str = "", styled: int | None = None) -> None:
    """Write a line; the first so many characters, or all, in a style where somebody looks."""
    from rich.console import Console
    from rich.text import Text

    text = Text("\n" * line.startswith("\n") + one_line(line.lstrip("\n")))
    if style:
        text.stylize(style, 0, styled)
    Console(highlight=False).print(text, soft_wrap=True)

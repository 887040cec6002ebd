"""`credhelpers doctor`: follows the path that Docker takes for a server, and reports what is wrong."""

import os
from collections import Counter
from collections.abc import Iterable

import click

from credhelpers.cli.doctor.clients.examination import CLIENTS
from credhelpers.cli.doctor.diagnosis import DOCKER, diagnose
from credhelpers.cli.shared import options, output
from credhelpers.credential import CredentialError
from credhelpers.finding import FAIL, OK, WARN, Finding
from credhelpers.log import one_line

_COLOURS = {OK: "green", WARN: "yellow", FAIL: "red"}

_EXAMPLES = """\b
Examples:
  credhelpers doctor
  credhelpers doctor registry.example:5000
  credhelpers doctor 123456789012.dkr.ecr.eu-central-1.amazonaws.com --json

\b
Exit status: 0 when nothing fails, warnings or not; 1 when something fails; 2 when the
command line is wrong."""


@click.command(epilog=_EXAMPLES, short_help="Find out why a pull fails.")
@click.argument("server", required=False, shell_complete=options.complete_server)
@click.option(
    "--client",
    metavar="NAME",
    type=click.Choice([DOCKER, *CLIENTS]),
    help=f"Examine one client only: {', '.join((DOCKER, *CLIENTS))}. [default: all that are found]",
)
@click.option("--offline", is_flag=True, help="Do not ask the registries.")
@options.docker_config
@options.json_report()
@click.pass_context
def doctor(
    context: click.Context,
    *,
    server: str | None,
    client: str | None,
    offline: bool,
    config_path: str,
    as_json: bool,
) -> None:
    """Follow the path that Docker takes for SERVER, or for all that are configured.

    Each line says ok, warn or fail, and how to fix it. The doctor asks the helper and the registry as Docker
    does, and never shows a secret. It ends within ten seconds, also without a network. SERVER may name an
    image, too, such as registry.example/team/app:1.
    """
    try:
        _report(
            context, diagnose(config_path, server, dict(os.environ), client, offline=offline), as_json=as_json
        )
    except OSError as error:  # a file has vanished, or a directory may not be read
        if error.filename is None:
            raise  # the output cannot be written
        raise CredentialError(f"cannot read {error.filename}: {error.strerror}") from None


def _report(context: click.Context, sections: Iterable[tuple[str, list[Finding]]], *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    report = []
    for subject, findings in sections:
        counts.update(finding.state for finding in findings)
        if as_json:
            report += [{"subject": subject, **vars(finding)} for finding in findings]
        else:
            _show(subject, findings)
    if as_json:
        output.report_json({"ok": not counts[FAIL], "findings": report})
    else:
        click.secho(f"\n{counts[FAIL]} failed, {counts[WARN]} warnings, {counts[OK]} ok", bold=True)
    context.exit(1 if counts[FAIL] else 0)


def _show(subject: str, findings: list[Finding]) -> None:
    click.secho(one_line(subject), bold=True)
    for finding in findings:
        state = click.style(f"  {finding.state:<4}", fg=_COLOURS[finding.state], bold=finding.state == FAIL)
        output.say_styled(f"{state}  ", f"{finding.check}: {finding.text}", indent=8)
        if finding.remedy and finding.state != OK:
            output.say_styled("        -> ", finding.remedy, indent=11, is_remedy=True)

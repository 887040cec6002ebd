"""`credhelpers doctor`: follows the path that Docker takes for a server, and reports what is wrong."""

import os
from collections import Counter
from collections.abc import Iterable

import click

from credhelpers.cli.doctor import fixes
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
  credhelpers doctor --fix

\b
Exit status: 0 when nothing fails, warnings or not; 1 when something fails; 2 when the
command line is wrong."""


@click.command(epilog=_EXAMPLES)
@click.argument("server", required=False, shell_complete=options.complete_server)
@click.option(
    "--client",
    metavar="NAME",
    type=click.Choice([DOCKER, *CLIENTS]),
    help=f"Examine one client only: {', '.join((DOCKER, *CLIENTS))}. [default: all that are found]",
)
@click.option("--offline", is_flag=True, help="Do not ask the registries.")
@click.option("--fix", is_flag=True, help="Offer to run each fix that is safe, then examine again.")
@click.option("--yes", is_flag=True, help="With --fix: run them without a question.")
@options.docker_config
@options.json_report()
@click.pass_context
def doctor(
    context: click.Context,
    *,
    server: str | None,
    client: str | None,
    offline: bool,
    fix: bool,
    yes: bool,
    config_path: str,
    as_json: bool,
) -> None:
    """Follow the path that Docker takes for SERVER, or for all that are configured.

    Each line says ok, warn or fail, and how to fix it. The doctor asks the helper and the registry as Docker
    does, and never shows a secret. It ends within ten seconds, also without a network. SERVER may name an
    image, too, such as registry.example/team/app:1.
    """
    if yes and not fix:
        raise click.UsageError("--yes needs --fix.")
    if fix and as_json and not yes:
        raise click.UsageError("--fix with --json needs --yes.")
    try:
        sections = diagnose(config_path, server, dict(os.environ), client, offline=offline)
        if not fix:
            _report(context, sections, as_json=as_json)
        done = _fix(sections, config_path, ask=not yes, as_json=as_json)
        sections = diagnose(config_path, server, dict(os.environ), client, offline=offline)
        _report(context, sections, as_json=as_json, done=done)
    except OSError as error:  # a file has vanished, or a directory may not be read
        if error.filename is None:
            raise  # the output cannot be written
        raise CredentialError(f"cannot read {error.filename}: {error.strerror}") from None


def _fix(
    sections: Iterable[tuple[str, list[Finding]]], config_path: str, *, ask: bool, as_json: bool
) -> dict[str, bool]:
    """Run the fixes of what is found, and return whether each has succeeded."""
    if ask:
        fixes.need_terminal()
    faulty = _faults(sections)
    for subject, findings in [] if as_json else faulty:
        _show(subject, findings)
    done = {}
    if not as_json:
        click.echo()
    for command in fixes.commands(faulty):
        if ask and not fixes.wants(command):
            continue
        if not ask and not as_json:
            output.say(f"Running: {command}")
        done[command] = fixes.run(command, config_path, os.environ)
        if not done[command]:
            output.warn(f"this fix has failed: {command}")
    return done


def _report(
    context: click.Context,
    sections: Iterable[tuple[str, list[Finding]]],
    *,
    as_json: bool,
    done: dict[str, bool] | None = None,
) -> None:
    """Report what is found; after fixes only what remains, but in JSON all."""
    counts: Counter[str] = Counter()
    report = []
    if done is not None and not as_json:
        sections = list(sections)
        after = "What remains:" if _faults(sections) else "Nothing remains."
        click.secho(f"\n{after if done else 'Nothing was run.'}", bold=True)
    for subject, findings in sections:
        counts.update(finding.state for finding in findings)
        if as_json:
            report += [
                {"subject": subject, **vars(finding), "fixable": finding.fixable} for finding in findings
            ]
        else:
            for title, shown in _faults([(subject, findings)]) if done is not None else [(subject, findings)]:
                _show(title, shown)
    if as_json:
        run = [{"command": command, "succeeded": succeeded} for command, succeeded in (done or {}).items()]
        ran = {} if done is None else {"fixes": run}
        output.report_json({"ok": not counts[FAIL], **ran, "findings": report})
    else:
        warnings = f"{counts[WARN]} warning{'s' * (counts[WARN] != 1)}"
        click.secho(f"\n{counts[FAIL]} failed, {warnings}, {counts[OK]} ok", bold=True)
    context.exit(1 if counts[FAIL] else 0)


def _faults(sections: Iterable[tuple[str, list[Finding]]]) -> list[tuple[str, list[Finding]]]:
    """Return the sections without what is ok."""
    faulty = [(subject, [each for each in findings if each.state != OK]) for subject, findings in sections]
    return [(subject, findings) for subject, findings in faulty if findings]


def _show(subject: str, findings: list[Finding]) -> None:
    click.secho(one_line(subject), bold=True)
    for finding in findings:
        state = click.style(f"  {finding.state:<4}", fg=_COLOURS[finding.state], bold=finding.state == FAIL)
        output.say_styled(f"{state}  ", f"{finding.check}: {finding.text}", indent=8)
        if finding.remedy and finding.state != OK:
            output.say_styled("        -> ", finding.remedy, indent=11, is_remedy=True)

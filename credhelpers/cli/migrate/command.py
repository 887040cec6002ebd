"""`credhelpers migrate`: moves secrets out of config.json, or out of another helper, into a store."""

import json
import os

import click

from credhelpers.cli.migrate import migration
from credhelpers.cli.migrate.migration import Found, Outcome
from credhelpers.cli.shared import options
from credhelpers.cli.shared.chosen_store import open_store
from credhelpers.cli.shared.progress import progress
from credhelpers.clients.docker_config import DockerConfig, docker_config_path
from credhelpers.clients.former_helpers import scrub
from credhelpers.credential import CredentialError
from credhelpers.log import one_line

_LONGEST = 4096  # bytes that are kept of what a helper says
_EXAMPLES = """\b
Examples:
  credhelpers migrate --dry-run
  credhelpers migrate
  credhelpers migrate --to pass
  credhelpers migrate --from secretservice --to pass

\b
Exit status: 0 when everything was moved, also when there was nothing to move; 1 when
something failed, each named with its cause; 2 when the command line is wrong."""


class _Heard:
    """What helpers write to stderr: not shown as it comes, for most of it only says what is not there yet."""

    def __init__(self) -> None:
        self._text = b""

    def __call__(self, messages: bytes) -> None:
        self._text = (self._text + messages)[-_LONGEST:]

    def explain(self, error: CredentialError) -> CredentialError:
        """Add the remedy that a helper of ours wrote below the cause."""
        cause = error.cause or "it was not found where it is listed"
        lines = [line.partition(": ")[2] for line in self._text.decode(errors="replace").splitlines()]
        known = len(lines) > 1 and lines[-2] and lines[-2] in cause
        return CredentialError(cause, error.remedy or (lines[-1] if known else ""))


@click.command(epilog=_EXAMPLES, short_help="Move plaintext secrets into a store.")
@click.option(
    "--from",
    "source",
    metavar="NAME",
    type=options.HelperName(),
    help="Move all that docker-credential-NAME has, instead of the secrets in config.json.",
)
@click.option(
    "--to",
    "target",
    metavar=options.STORE_NAMES,
    type=options.HelperName(),
    help="Move into docker-credential-NAME, and let Docker ask it. [default: config.json's credsStore]",
)
@click.option("--overwrite", is_flag=True, help="Replace what the store has for a server already.")
@options.docker_config
@click.option("--dry-run", is_flag=True, help="Show what would be moved, and move nothing.")
@options.json_report()
@click.pass_context
def migrate(
    context: click.Context,
    *,
    source: str | None,
    target: str | None,
    overwrite: bool,
    docker_config: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move plaintext secrets, or another helper's, into a credential store.

    Each is read back from the store before it is removed where it was, so that a run that was broken off can
    simply be repeated. No secret is ever shown.
    """
    path = docker_config_path(os.environ, docker_config)
    config = DockerConfig.read(path)
    name = target or config.creds_store
    if not name:
        raise click.UsageError(f"{path} names no store: say where to move to, for example --to pass.")
    if name == source:
        raise click.UsageError(f"--from and --to are both {name}.")
    report: dict[str, object] = {"path": path, "from": source, "to": name, "dry_run": dry_run}
    heard = _Heard()
    into = open_store(name, heard)
    out_of = open_store(source, heard) if source else None
    if not dry_run:
        scrub(path)
    try:
        found = migration.in_helper(out_of) if out_of else migration.in_file(config)
        if dry_run:
            _tell_plan(report, found, switches=config.creds_store != name, as_json=as_json)
            return
        with progress("Moving", len(found), shown=not as_json) as advance:
            outcome = migration.put_all(
                found, into, overwrite=overwrite, explain=heard.explain, advance=advance
            )
    except CredentialError as error:
        raise heard.explain(error) from None
    report["removed"] = not outcome.failed or config.creds_store == name
    if report["removed"]:
        # Docker asks one store only: it is told before the old one is emptied, and not while part is missing.
        migration.hand_over(path, outcome, name)
        if out_of:
            migration.erase_all(outcome, out_of, into, heard.explain)
        else:
            _find_newer(path, outcome)
    _tell(report, found, outcome, as_json=as_json)
    context.exit(1 if outcome.failed else 0)


def _find_newer(path: str, outcome: Outcome) -> None:
    """Count as failed what somebody has logged in to anew while the old secret was moved."""
    for server in DockerConfig.read(path).plaintext().keys() & outcome.moved.keys():
        del outcome.moved[server]
        outcome.failed[server] = CredentialError("another secret was written meanwhile", "run this again")


def _tell_plan(report: dict[str, object], found: list[Found], *, switches: bool, as_json: bool) -> None:
    if as_json:
        entries = [{"server": item.server, "username": item.username, "kind": item.kind} for item in found]
        click.echo(json.dumps({**report, "would_move": entries}, indent=2))
        return
    for item in found:
        verb = "would move" if item.is_movable else "cannot move"
        click.echo(one_line(f"{verb} {item.server}  {item.username}  {item.kind}"))
    if switches:
        click.echo(one_line(f"would set credsStore to {report['to']} in {report['path']}"))
    movable = sum(item.is_movable for item in found)
    click.echo(one_line(f"{movable} to move to {report['to']}; nothing was changed"))


def _tell(report: dict[str, object], found: list[Found], outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        known = {item.server: item for item in found}
        moved = [
            {"server": server, "username": known[server].username, "kind": known[server].kind}
            for server in outcome.moved
        ]
        failed = [
            {"server": server, "cause": error.cause, "remedy": error.remedy}
            for server, error in outcome.failed.items()
        ]
        click.echo(
            json.dumps({**report, "moved": moved, "shared": outcome.shared, "failed": failed}, indent=2)
        )
        return
    for server, credential in outcome.moved.items():
        click.echo(one_line(f"moved {server}  {credential.username}"))
    for server, error in outcome.failed.items():
        click.secho(one_line(f"credhelpers: {server}: {error.cause}"), fg="red", err=True)
        if error.remedy:
            click.echo(one_line(f"credhelpers: {error.remedy}"), err=True)
    _summarise(report, outcome)


def _summarise(report: dict[str, object], outcome: Outcome) -> None:
    if not (outcome.moved or outcome.failed):
        click.echo(one_line(f"Nothing to move; Docker asks {report['to']}."))
        return
    summary = f"{len(outcome.moved)} moved to {report['to']}, {len(outcome.failed)} failed"
    if outcome.shared:
        summary += f"; {len(outcome.shared)} of them are in one place with {report['from']} and stay there"
    if not report["removed"]:
        summary += "; nothing was removed, and Docker goes on as before until all can be moved"
    click.echo(one_line(summary + "."))

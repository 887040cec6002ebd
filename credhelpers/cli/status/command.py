"""`credhelpers status`: every credential that Docker would use."""

import json
import os
import sys
import time
from datetime import UTC, datetime

import click

from credhelpers.cli.shared import options
from credhelpers.cli.shared.ecr_tokens import duration
from credhelpers.cli.status.inventory import IN_FILE, Inventory, Row, take
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, docker_config_path, docker_key
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound
from credhelpers.log import one_line
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper

_HEADINGS = ("SERVER", "HELPER", "USERNAME", "KIND", "IDENTITY", "LEFT", "NOTE")
_SECONDS = 120.0  # for one secret: somebody may have to type a passphrase
_EXAMPLES = """\b
Examples:
  credhelpers status
  credhelpers status --json
  credhelpers status --show-secret registry.example:5000

\b
Exit status: 0 when everything could be found out; 1 when a helper failed, which is named, or
when there is no secret to show; 2 when the command line is wrong."""


@click.command(epilog=_EXAMPLES, short_help="Show every credential in use.")
@click.option(
    "--show-secret", "server", metavar="SERVER", help="Show what Docker gets for this server, the secret too."
)
@options.docker_config
@options.json_report()
@click.pass_context
def status(context: click.Context, *, server: str | None, docker_config: str | None, as_json: bool) -> None:
    """Show every credential that Docker would use: where it is, and whose; no secret.

    The helpers are asked for their lists. For Amazon ECR the token cache is read; AWS is not asked.
    """
    config = DockerConfig.read(docker_config_path(os.environ, docker_config))
    if server is not None:
        _show_one(config, server, as_json=as_json)
        return
    inventory = take(config, os.environ)
    if as_json:
        _tell_json(config, inventory)
    else:
        _tell(config, inventory)
    context.exit(1 if inventory.problems else 0)


def _tell_json(config: DockerConfig, inventory: Inventory) -> None:
    credentials = []
    for row in inventory.rows:
        end = None if row.expires is None else datetime.fromtimestamp(row.expires, UTC)
        left = None if row.expires is None else max(0, row.expires - int(time.time()))
        credentials.append({**vars(row), "expires": end and end.isoformat(), "seconds_left": left})
    problems = [vars(problem) for problem in inventory.problems]
    click.echo(json.dumps({"path": config.path, "credentials": credentials, "problems": problems}, indent=2))


def _tell(config: DockerConfig, inventory: Inventory) -> None:
    if inventory.rows and sys.stdout.isatty():
        _show_table(inventory.rows)
    elif inventory.rows:
        _show_text(inventory.rows)
    elif not inventory.problems:
        click.echo(one_line(f"No credentials; Docker's configuration is {config.path}."))
    if any(row.plaintext for row in inventory.rows):
        _warn("some secrets stand in config.json in plain text", "credhelpers migrate")
    for problem in inventory.problems:
        cause = problem.cause if problem.helper in problem.cause else f"{problem.helper}: {problem.cause}"
        _warn(cause, problem.remedy)


def _cells(row: Row) -> list[str]:
    helper = row.helper if row.helper == row.store else f"{row.helper} -> {row.store}"
    kind = f"{row.kind}, plain text" if row.plaintext else row.kind
    left = "" if row.expires is None else duration(row.expires - time.time())
    return [one_line(cell) for cell in (row.server, helper, row.username, kind, row.identity, left, row.note)]


def _used(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells without the columns in which nothing stands."""
    lines = [_cells(row) for row in rows]
    columns = [number for number in range(len(_HEADINGS)) if any(line[number] for line in lines)]
    return [_HEADINGS[number] for number in columns], [[line[number] for number in columns] for line in lines]


def _show_text(rows: list[Row]) -> None:
    headings, lines = _used(rows)
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    for line in (headings, *lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _show_table(rows: list[Row]) -> None:
    """Show a table that a narrow terminal has room for: all that is only to be read is in one column."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*_HEADINGS[:4], "DETAILS", box=box.SIMPLE_HEAD, header_style="bold")
    for row in rows:
        *cells, identity, left, note = _cells(row)
        details = "; ".join(filter(None, [identity, left and f"{left} left", note]))
        style = "red" if row.plaintext else "yellow" if row.note else ""
        table.add_row(*(Text(cell, overflow="fold") for cell in (*cells, details)), style=style)
    Console(highlight=False).print(table)


def _warn(cause: str, remedy: str) -> None:
    click.secho(f"credhelpers: {one_line(cause)}", fg="yellow", err=True)
    if remedy:
        click.echo(f"credhelpers: {one_line(remedy)}", err=True)


def _show_one(config: DockerConfig, server: str, *, as_json: bool) -> None:
    """Show what Docker gets for one server."""
    key = docker_key(server)
    helper = config.helper_for(key, os.environ.get("PATH", ""))
    credential = _ask(helper, key) if helper else _read(config, key)
    kind = "identity token" if credential.username == TOKEN_USERNAME else "password"
    fields = {"server": key, "helper": helper or IN_FILE, "username": credential.username, "kind": kind}
    fields["secret"] = credential.secret
    if as_json:
        click.echo(json.dumps(fields, indent=2))
        return
    for name, value in fields.items():
        click.echo(f"{name + ':':<10}{value if name == 'secret' else one_line(value)}")


def _ask(helper: str, server: str) -> Credential:
    path = find_helper(helper, os.environ)
    if path is None:
        raise CredentialError(f"{PREFIX}{helper} is not on PATH", "install it, or name another helper")
    try:
        return ExternalStore(path, os.environ, _SECONDS).get(server)
    except CredentialsNotFound:
        raise CredentialError(
            f"{PREFIX}{helper} has no credential for {server}", f"see why: credhelpers doctor {server}"
        ) from None


def _read(config: DockerConfig, server: str) -> Credential:
    secret = config.plaintext_for(server)
    if secret is None or secret.kind == "unreadable":
        raise CredentialError(
            f"{config.path} has no credential for {server}, and no helper is asked",
            f"see why: credhelpers doctor {server}",
        )
    return secret.credential

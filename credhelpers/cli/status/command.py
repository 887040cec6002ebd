"""`credhelpers status`: every credential that Docker and podman would use."""

import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from credhelpers.cli.shared import ecr_logins, options, output
from credhelpers.cli.shared.ecr_tokens import duration
from credhelpers.cli.shared.helper_programs import helper_for, open_on_path
from credhelpers.cli.shared.wrapping import cells, columns, wrap
from credhelpers.cli.status.choice import IN_ENVIRONMENT, IN_FILE
from credhelpers.cli.status.inventory import Inventory, take_inventory
from credhelpers.cli.status.rows import Row
from credhelpers.clients import docker_auth_config
from credhelpers.clients.docker_config import TOKEN_USERNAME, DockerConfig, docker_config_path, docker_key
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound
from credhelpers.log import one_line
from credhelpers.stores.auto.external import PREFIX

_FIELD = 12  # columns before a field that has a line of its own
_HEADINGS = ("SERVER", "CLIENT", "HELPER", "USERNAME", "KIND", "IDENTITY", "LEFT", "NOTE")
_EXAMPLES = """\b
Examples:
  credhelpers status
  credhelpers status --json
  credhelpers status --show-secret registry.example:5000

\b
Exit status: 0 when every helper answered; 1 when one failed, or when there is no secret to show;
2 when the command line is wrong."""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--show-secret",
    "server",
    metavar="SERVER",
    shell_complete=options.complete_server,
    help="Show what Docker gets for this server, the secret too.",
)
@options.docker_config
@options.json_report()
@click.pass_context
def status(context: click.Context, *, server: str | None, config_path: str, as_json: bool) -> None:
    """Show every credential that Docker would use, where it is and its username; no secret.

    One that Docker passes over is shadowed by what it uses instead. Where podman is set up, the same for it.
    The helpers list what they have. For Amazon ECR this reads the token cache; AWS is not asked.
    """
    config = DockerConfig.read(config_path)
    if server is not None:
        _show_one(config, docker_key(server), as_json=as_json)
        return
    inventory = take_inventory(config)
    if as_json:
        _report(config, inventory)
    else:
        _show(config, inventory)
    context.exit(1 if inventory.problems else 0)


def _report(config: DockerConfig, inventory: Inventory) -> None:
    credentials = []
    for row in inventory.rows:
        end = None if row.expires is None else datetime.fromtimestamp(row.expires, UTC)
        left = None if row.expires is None else max(0, row.expires - int(time.time()))
        credentials.append({**vars(row), "expires": end and end.isoformat(), "seconds_left": left})
    problems = [vars(problem) for problem in inventory.problems]
    output.report_json({"path": config.path, "credentials": credentials, "problems": problems})


def _show(config: DockerConfig, inventory: Inventory) -> None:
    if inventory.rows:
        _show_rows(inventory.rows)
    elif not inventory.problems:
        output.say(f"No credentials; Docker's configuration is {config.path}.")
    plain = {row.helper for row in inventory.rows if row.plaintext}
    if IN_FILE in plain:
        output.warn("config.json holds secrets in plain text", ecr_logins.to_remove_plaintext(config))
    for path in sorted(plain - {IN_FILE, docker_config_path(os.environ)}):
        text = f"{path} holds secrets in plain text"
        output.warn(text, "see what to do: credhelpers doctor --client podman")
    for problem in inventory.problems:
        cause = problem.cause if problem.helper in problem.cause else f"{problem.helper}: {problem.cause}"
        output.warn(cause, problem.remedy)


def _cells(row: Row, client: str) -> list[str]:
    helper = row.helper if row.helper == row.store else f"{row.helper} -> {row.store}"
    kind = f"{row.kind}, plain text" if row.plaintext else row.kind
    left = "" if row.expires is None else duration(row.expires - time.time())
    note = f"shadowed by {row.shadowed_by}" if row.shadowed_by else row.note
    return [
        one_line(cell) for cell in (row.server, client, helper, row.username, kind, row.identity, left, note)
    ]


def _columns(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells without the columns that are empty."""
    has_podman = any(row.client != "docker" for row in rows)
    lines = [_cells(row, row.client if has_podman else "") for row in rows]
    columns = [number for number in range(len(_HEADINGS)) if any(line[number] for line in lines)]
    return [_HEADINGS[number] for number in columns], [[line[number] for number in columns] for line in lines]


def _show_rows(rows: list[Row]) -> None:
    """Show a table, or one field a line where a table is too wide for the terminal."""
    headings, lines = _columns(rows)
    widths = [max(map(cells, column)) for column in zip(headings, *lines, strict=True)]
    width = columns(sys.stdout)
    if width is None or sum(widths) + 2 * (len(widths) - 1) <= width:
        click.secho(_aligned(headings, widths), bold=True)
        for row, line in zip(rows, lines, strict=True):
            click.echo(click.style(_aligned(line, widths), **_style(row)))
        return
    for row, line in zip(rows, lines, strict=True):
        click.secho(line[0], bold=True, fg=_style(row).get("fg"))
        for heading, cell in zip(headings[1:], line[1:], strict=True):
            if cell:
                click.echo(wrap(cell, width, _FIELD, first=f"  {heading.lower()}".ljust(_FIELD)))


def _aligned(line: list[str], widths: list[int]) -> str:
    padded = (cell + " " * (width - cells(cell)) for cell, width in zip(line, widths, strict=True))
    return "  ".join(padded).rstrip()


def _style(row: Row) -> dict[str, Any]:
    if row.plaintext:
        return {"fg": "red"}
    return {"dim": True} if row.shadowed_by else {"fg": "yellow"} if row.note else {}


def _show_one(config: DockerConfig, server: str, *, as_json: bool) -> None:
    """Show what Docker gets for one server, the secret too."""
    in_environment = docker_auth_config.credentials(os.environ).get(server)
    helper = IN_ENVIRONMENT if in_environment else helper_for(config, server)
    credential = in_environment or (_ask(helper, server) if helper else _read(config, server))
    kind = "identity token" if credential.username == TOKEN_USERNAME else "password"
    fields = {"server": server, "helper": helper or IN_FILE, "username": credential.username, "kind": kind}
    fields["secret"] = credential.secret
    if as_json:
        output.report_json(fields)
        return
    for name, value in fields.items():
        click.echo(f"{name + ':':<10}{value if name == 'secret' else one_line(value)}")


def _ask(helper: str, server: str) -> Credential:
    try:
        return open_on_path(helper).get(server)
    except CredentialsNotFound:
        raise CredentialError(
            f"{PREFIX}{helper} has no credential for {server}", f"see why: credhelpers doctor {server}"
        ) from None


def _read(config: DockerConfig, server: str) -> Credential:
    secret = config.plaintext_for(server)
    if secret is None or secret.kind == "unreadable":
        raise CredentialError(
            f"{config.path} has no credential for {server}, and Docker asks no helper for it",
            f"see why: credhelpers doctor {server}",
        )
    return secret.credential

"""`credhelpers login` and `logout`: a registry's credential, tried, and put where Docker looks for it."""

import json
import os
import sys

import click

from credhelpers.cli.login import connection, registry
from credhelpers.cli.login.connection import Trust
from credhelpers.cli.shared import options
from credhelpers.cli.shared.chosen_store import open_store
from credhelpers.clients.docker_config import DockerConfig, docker_config_path, docker_key, hostname_of
from credhelpers.clients.docker_config_edit import forget, hand_over
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import Edit
from credhelpers.credential import Credential, CredentialError
from credhelpers.log import one_line
from credhelpers.servers import HUB_KEY

_LARGEST = 1 << 16  # bytes of a secret

_EXAMPLES = """\b
Examples:
  credhelpers login registry.example:5000
  credhelpers login docker.io --username ada --password-stdin <token.txt
  credhelpers login registry.example --ca /etc/ssl/registry-ca.pem
  credhelpers login registry.example --store keyring --no-check

\b
Exit status: 0 when the credential is stored; 1 when the registry refuses it or something
failed, and then nothing is stored; 2 when the command line is wrong."""

_LOGOUT_EXAMPLES = """\b
Examples:
  credhelpers logout registry.example:5000
  credhelpers logout docker.io

\b
Exit status: 0 when nothing is stored for it any more, also when nothing was; 1 when
something failed; 2 when the command line is wrong."""


def name_of_server(context: click.Context, argument: click.Parameter, value: str) -> str:
    """Check the name of a registry, for click."""
    del context, argument
    if not hostname_of(value) or not value.isprintable() or " " in value or "@" in value:
        raise click.BadParameter("a registry is named by host and port, such as registry.example:5000")
    return value


@click.command(epilog=_EXAMPLES, short_help="Try a credential, and keep it.")
@click.argument("server", callback=name_of_server)
@click.option(
    "--username", "-u", metavar="NAME", help="Whose credential; asked for at a terminal without it."
)
@click.option("--password-stdin", is_flag=True, help="Read the password or access token from standard input.")
@click.option(
    "--store",
    metavar="NAME",
    type=options.HelperName(),
    help="Keep it by docker-credential-NAME. [default: the one that Docker asks]",
)
@click.option("--ca", metavar="FILE", type=click.Path(), help="Trust the authorities in this PEM file, too.")
@click.option(
    "--insecure", is_flag=True, help="Go on without TLS or with a certificate that nobody vouches for."
)
@click.option("--no-check", is_flag=True, help="Store without asking the registry.")
@options.docker_config
@options.json_report()
def login(  # noqa: PLR0913  one for each option
    *,
    server: str,
    username: str | None,
    password_stdin: bool,
    store: str | None,
    ca: str | None,
    insecure: bool,
    no_check: bool,
    docker_config: str | None,
    as_json: bool,
) -> None:
    """Try a username and password at a registry, and keep them where Docker looks for them.

    The secret is typed at a hidden prompt or comes by --password-stdin; it is never an argument, which every
    user of the machine could read.
    """
    key = docker_key(server)
    path = docker_config_path(os.environ, docker_config)
    config = DockerConfig.read(path)
    asked = config.helper_for(key, os.environ.get("PATH", os.defpath))
    name = store or asked
    if not name:
        raise CredentialError(
            f"{path} names no helper for {key}, so Docker would keep the secret in plain text",
            "name one: credhelpers configure --store pass; or say where to keep it: --store NAME",
        )
    into = open_store(name)
    scrub(path)
    credential = _credential(username, password_stdin=password_stdin, server=key)
    trust = Trust(insecure, ca or "", connection.certificate_directories(os.environ))
    checked = not no_check and registry.accepts(server, credential, trust)
    into.store(key, credential)
    if name == asked and "#" not in key:  # which no client asks for; a route of docker-credential-auto does
        Edit(path, hand_over(path, {key: None}, [key], None)).make()
    report = {"server": key, "username": credential.username, "store": name, "checked": checked}
    _tell({**report, "used_by_docker": name == asked}, no_check=no_check, as_json=as_json)


@click.command(epilog=_LOGOUT_EXAMPLES, short_help="Forget a registry's credential.")
@click.argument("server", callback=name_of_server)
@click.option(
    "--store",
    metavar="NAME",
    type=options.HelperName(),
    help="Erase it by docker-credential-NAME. [default: the one that Docker asks]",
)
@options.docker_config
@options.json_report()
def logout(*, server: str, store: str | None, docker_config: str | None, as_json: bool) -> None:
    """Forget a registry's credential, under every name that docker logout erases, in config.json too."""
    key = docker_key(server)
    path = docker_config_path(os.environ, docker_config)
    name = store or DockerConfig.read(path).helper_for(key, os.environ.get("PATH", os.defpath))
    out_of = open_store(name) if name else None
    scrub(path)
    if out_of:
        for spelling in _spellings(key):
            out_of.erase(spelling)
    Edit(path, forget(path, _spellings(key))).make()
    if as_json:
        click.echo(json.dumps({"server": key, "store": name or None}, indent=2))
    else:
        place = f"docker-credential-{name} and {path}" if name else path
        click.echo(one_line(f"{key}: logged out; nothing of it is in {place}."))


def _spellings(key: str) -> list[str]:
    """Return the keys that docker logout erases (docker/cli command/registry/logout.go).

    For Docker Hub these are the tokens of its login in a browser, too (internal/oauth/manager).
    """
    if key == HUB_KEY:
        return [HUB_KEY, HUB_KEY + "access-token", HUB_KEY + "refresh-token"]
    return [key, f"http://{key}", f"https://{key}"]


def _credential(username: str | None, *, password_stdin: bool, server: str) -> Credential:
    """Get a username and a secret by the ways that nobody else sees."""
    if password_stdin:
        if not username:
            raise click.UsageError("--password-stdin needs --username.")
        secret = _read_secret()
    elif sys.stdin.isatty():
        username = username or click.prompt(f"Username for {server}", err=True)
        secret = click.prompt("Password or access token", hide_input=True, err=True)
    else:
        raise CredentialError(
            "there is no terminal to ask for the password",
            "hand it in: --username NAME --password-stdin <FILE",
        )
    if not username.isprintable():
        raise click.UsageError("A username has no control characters.")
    return Credential(username, secret)


def _read_secret() -> str:
    content = sys.stdin.buffer.read(_LARGEST + 1)
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CredentialError("standard input is no UTF-8 text", "hand in the password alone") from None
    if not secret or len(content) > _LARGEST or "\n" in secret:
        raise CredentialError(
            "standard input holds no password, or more than one line", "hand in the password alone"
        )
    return secret


def _tell(report: dict[str, object], *, no_check: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    server, store = report["server"], report["store"]
    if not report["checked"] and not no_check:
        warning = f"credhelpers: {server} lets in anybody, so it could not be tried"
        click.secho(one_line(warning), fg="yellow", err=True)
    outcome = "accepted and stored" if report["checked"] else "stored, untried"
    line = f"{server}: the credential of {report['username']} is {outcome} by {store}."
    click.secho(one_line(line), fg="green")
    if not report["used_by_docker"]:
        click.echo(one_line(f"Docker does not ask {store} yet: credhelpers configure --store {store}"))

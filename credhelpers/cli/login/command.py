"""`credhelpers login`: verifies a registry's credential, and stores it where Docker looks for it."""

import sys

import click

from credhelpers.cli.login.tokens import token_helper
from credhelpers.cli.shared import options, output, registry
from credhelpers.cli.shared.connection import Trust
from credhelpers.cli.shared.helper_programs import helper_for, open_installed
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.docker_config_edit import hand_over
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import Edit
from credhelpers.credential import Credential, CredentialError

_LARGEST = 1 << 16  # bytes of a secret

_EXAMPLES = """\b
Examples:
  credhelpers login
  credhelpers login registry.example:5000
  credhelpers login docker.io --username ada --password-stdin <token.txt
  credhelpers login registry.example --ca /etc/ssl/registry-ca.pem
  credhelpers login registry.example --store keyring --no-check

\b
Exit status: 0 when the credential is stored, or the registry needs none; 1 when the registry
refuses it or something failed, and then nothing is stored; 2 when the command line is wrong."""


@click.command(epilog=_EXAMPLES)
@options.server
@click.option("--username", "-u", metavar="NAME", help="The username; without it the command asks for one.")
@click.option("--password-stdin", is_flag=True, help="Read the password or access token from standard input.")
@click.option(
    "--store",
    type=options.HelperName(),
    help="Store it with docker-credential-NAME. [default: the helper that Docker asks]",
)
@click.option(
    "--ca", metavar="FILE", type=click.Path(), default="", help="Trust the authorities in this PEM file, too."
)
@click.option("--insecure", is_flag=True, help="Accept any certificate, and a registry without TLS.")
@click.option("--no-check", is_flag=True, help="Store without asking the registry.")
@options.docker_config
@options.json_report()
def login(  # noqa: PLR0913  one for each option
    *,
    server: str,
    username: str | None,
    password_stdin: bool,
    store: str | None,
    ca: str,
    insecure: bool,
    no_check: bool,
    config_path: str,
    as_json: bool,
) -> None:
    """Verify a username and password with a registry, and store them where Docker looks for them.

    Without SERVER that is Docker Hub. A registry of a cloud needs no login where a helper gets its tokens.

    The secret is typed at a hidden prompt or comes by --password-stdin; it is never an argument, which every
    user of the machine could read.
    """
    key = docker_key(server)
    docker_asks = helper_for(DockerConfig.read(config_path), key)
    issuer = "" if username else token_helper(server, docker_asks)
    if issuer:
        _show_no_login(key, issuer, as_json=as_json)
        return
    name = store or docker_asks
    if not name:
        raise CredentialError(
            f"{config_path} names no helper for {key}, so Docker would keep the secret in plain text",
            "name one: credhelpers configure --store pass; or say where to keep it: --store NAME",
        )
    helper = open_installed(name)
    scrub(config_path)
    credential = _credential(username, password_stdin=password_stdin, server=key)
    verified = not no_check and registry.accepts(server, credential, Trust(insecure, ca))
    helper.store(key, credential)
    if name == docker_asks and "#" not in key:  # which only a route of docker-credential-auto has
        Edit(config_path, hand_over(config_path, {key: None}, [key], None)).make()
    if as_json:
        report = {"server": key, "username": credential.username, "store": name, "checked": verified}
        output.report_json({**report, "used_by_docker": name == docker_asks})
        return
    if not verified and not no_check:
        output.warn(f"{key} lets in every user without a password, so the credential cannot be verified")
    _show(key, credential.username, name, docker_asks, verified=verified)


def _credential(username: str | None, *, password_stdin: bool, server: str) -> Credential:
    """Read a username and a secret from standard input or the terminal."""
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
            "pass it on standard input: --username NAME --password-stdin <FILE",
        )
    if not username.isprintable():
        raise click.UsageError("A username has no control characters.")
    return Credential(username, secret)


def _show(server: str, username: str, store: str, docker_asks: str, *, verified: bool) -> None:
    outcome = "accepted and stored" if verified else "stored, not verified,"
    output.say(f"{server}: the credential of {username} is {outcome} by {store}.", "green")
    if store != docker_asks:
        output.say(f"Docker does not ask {store} yet: credhelpers configure --store {store}")


def _show_no_login(server: str, issuer: str, *, as_json: bool) -> None:
    if as_json:
        output.report_json({"server": server, "store": issuer, "needed": False, "used_by_docker": True})
        return
    output.say(f"{server} needs no login: {issuer} gets a token whenever Docker asks.")
    output.say(f"See it work: credhelpers doctor {server}")


def _read_secret() -> str:
    content = sys.stdin.buffer.read(_LARGEST + 1)
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CredentialError("standard input is not UTF-8 text", "write only the password to it") from None
    if not secret or len(content) > _LARGEST or "\n" in secret:
        raise CredentialError(
            "standard input is not one line with a password", "write only the password to it"
        )
    return secret

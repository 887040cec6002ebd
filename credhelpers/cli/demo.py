"""`credhelpers demo`: the main job with throwaway keys, without an AWS account or Docker."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from credhelpers.cli.shared import output
from credhelpers.credential import REPORT, CredentialError
from credhelpers.stores.auto.external import PREFIX

_SERVER = "registry.example.com:5000"
_ECR_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
_SECONDS = 60


@click.command()
def demo() -> None:
    """Store and read back a secret, then fetch an ECR token twice.

    The helpers are the installed ones. Their GnuPG key, password store and AWS exist only for the demo, on
    this machine; nothing of yours is read or changed.
    """
    with _throwaway_home() as home:
        _password_store(home)
        _ecr(home)
    click.echo("Done; the demo has removed everything that it made.")


def _password_store(home: Path) -> None:
    _heading("A secret in the password store, encrypted with a throwaway GnuPG key")
    environment = _environment(home)
    _run(environment, "credhelpers", "init", "pass", "--no-passphrase")
    credential = {"ServerURL": _SERVER, "Username": "ada", "Secret": secrets.token_urlsafe(12)}
    _run(environment, f"{PREFIX}pass", "store", stdin=json.dumps(credential))
    entry = next(home.joinpath(".password-store").rglob("*.gpg"))
    click.echo(f"  on disk: {entry.stat().st_size} encrypted bytes")
    _expect(_run(environment, f"{PREFIX}pass", "list"), {_SERVER: "ada"})
    _expect(_run(environment, f"{PREFIX}pass", "get", stdin=_SERVER), credential)
    _run(environment, f"{PREFIX}pass", "erase", stdin=_SERVER)
    _expect(_run(environment, f"{PREFIX}pass", "list"), {})


def _ecr(home: Path) -> None:
    from credhelpers.emulator import Emulator

    _heading("An Amazon ECR token by an instance role, from a local stand-in for AWS")
    password = secrets.token_urlsafe(12)
    with Emulator(password=password) as aws:
        environment = {**_environment(home), **aws.environment()}
        expected = {"ServerURL": _ECR_HOST, "Username": "AWS", "Secret": password}
        for way in ("over HTTP", "from the cache"):
            _expect(_run(environment, f"{PREFIX}ecr-login", "get", stdin=_ECR_HOST), expected)
            click.echo(f"  {way}; requests to AWS so far: {aws.calls['GetAuthorizationToken']}")
        if aws.calls["GetAuthorizationToken"] != 1:
            raise CredentialError("the second token did not come from the cache", REPORT)


@contextmanager
def _throwaway_home() -> Iterator[Path]:
    # gpg-agent's sockets are in it, and their paths may have 107 bytes: a deep TMPDIR would not do.
    with tempfile.TemporaryDirectory(prefix="credhelpers-", dir="/tmp") as directory:
        try:
            yield Path(directory)
        finally:
            if gpgconf := shutil.which("gpgconf"):
                end_agents = [gpgconf, "--homedir", f"{directory}/.gnupg", "--kill", "all"]
                subprocess.run(end_agents, check=False, timeout=_SECONDS, capture_output=True)


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}


def _run(environment: dict[str, str], name: str, *arguments: str, stdin: str = "") -> str:
    """Run an installed executable; show the command, its answer and its time."""
    executable = Path(sys.argv[0]).resolve().with_name(name)
    if not executable.exists():
        raise CredentialError(
            f"{executable} does not exist", "install the helpers, too: scripts/install.sh --demo"
        )
    words = " ".join((name, *arguments))
    click.secho(f"  $ {f'printf %s {chr(39)}{stdin}{chr(39)} | ' if stdin else ''}{words}", bold=True)
    started = time.monotonic()
    done = subprocess.run(
        [executable, *arguments],
        input=stdin.encode(),
        env=environment,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    milliseconds = 1000 * (time.monotonic() - started)
    answer = done.stdout.decode().strip()
    if done.returncode:
        raise CredentialError(f"{words}: {answer} {done.stderr.decode().strip()}")
    shown = answer.replace("\n", "\n  ") or "(ok)"
    click.echo(f"  {shown}  [{milliseconds:.0f} ms]")
    return answer


def _expect(answer: str, expected: dict[str, str]) -> None:
    if json.loads(answer) != expected:
        raise CredentialError(f"that answer should have been {json.dumps(expected)}")


def _heading(text: str) -> None:
    click.echo()
    output.say(text, "cyan")

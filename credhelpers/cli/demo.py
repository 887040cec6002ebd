"""`credhelpers demo`: the main job on an embedded default, without an AWS account, a key or Docker."""

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

from credhelpers.credential import REPORT, CredentialError

_SERVER = "registry.example.com:5000"
_ECR_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
_SECONDS = 60


@click.command(short_help="See the helpers at work, on this machine.")
def demo() -> None:
    """Store and read back a secret, then fetch an ECR token twice.

    The helpers are the installed ones. The GnuPG key, the password store and the AWS that they meet live for
    the length of the demo, on this machine only; nothing of yours is read or changed.
    """
    with _throwaway_home() as home:
        _password_store(home)
        _ecr(home)
    click.echo("Done; everything that the demo made is removed.")


def _password_store(home: Path) -> None:
    _heading("A secret in the password store, encrypted with a throwaway GnuPG key")
    environment = _environment(home)
    environment["GNUPGHOME"] = str(home / "gnupg")
    store = home / ".password-store"
    with _key(home / "gnupg") as fingerprint:
        store.mkdir(mode=0o700)
        (store / ".gpg-id").write_text(fingerprint + "\n")
        credential = {"ServerURL": _SERVER, "Username": "ada", "Secret": secrets.token_urlsafe(12)}
        _run(environment, "pass", "store", json.dumps(credential))
        entry = next(store.rglob("*.gpg"))
        click.echo(f"  on disk: {entry.stat().st_size} encrypted bytes")
        _expect(_run(environment, "pass", "list"), {_SERVER: "ada"})
        _expect(_run(environment, "pass", "get", _SERVER), credential)
        _run(environment, "pass", "erase", _SERVER)
        _expect(_run(environment, "pass", "list"), {})


def _ecr(home: Path) -> None:
    from credhelpers.emulator import Emulator

    _heading("An Amazon ECR token by an instance role, from a local stand-in for AWS")
    password = secrets.token_urlsafe(12)
    with Emulator(password=password) as aws:
        environment = {**_environment(home), **aws.environment()}
        expected = {"ServerURL": _ECR_HOST, "Username": "AWS", "Secret": password}
        for turn in ("over HTTP", "from the cache"):
            _expect(_run(environment, "ecr-login", "get", _ECR_HOST), expected)
            click.echo(f"  {turn}; AWS has been asked {aws.calls['GetAuthorizationToken']} time")
        if aws.calls["GetAuthorizationToken"] != 1:
            raise CredentialError("the second token did not come from the cache", REPORT)


@contextmanager
def _throwaway_home() -> Iterator[Path]:
    # Sockets of gpg-agent live in it, and their paths may have 107 bytes: a deep TMPDIR would not do.
    with tempfile.TemporaryDirectory(prefix="credhelpers-", dir="/tmp") as directory:
        yield Path(directory)


@contextmanager
def _key(directory: Path) -> Iterator[str]:
    """Make a key without a passphrase, and yield its fingerprint; its agent ends with the block."""
    import gnupg

    executable, gpgconf = shutil.which("gpg"), shutil.which("gpgconf")
    if executable is None or gpgconf is None:
        raise CredentialError("gpg is not installed", "install it: apt install gnupg, or dnf install gnupg2")
    directory.mkdir(mode=0o700)
    gpg = gnupg.GPG(gpgbinary=executable, gnupghome=str(directory))
    wanted = gpg.gen_key_input(
        key_type="EDDSA",
        key_curve="ed25519",
        subkey_type="ECDH",
        subkey_curve="cv25519",
        name_real="credhelpers demo",
        no_protection=True,
    )
    try:
        made = gpg.gen_key(wanted)
        if not made.fingerprint:
            raise CredentialError(
                f"gpg made no key: {made.status}", "see whether its agent starts: gpg-connect-agent /bye"
            )
        yield made.fingerprint
    finally:
        subprocess.run([gpgconf, "--homedir", directory, "--kill", "all"], check=False, timeout=_SECONDS)


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}


def _run(environment: dict[str, str], helper: str, verb: str, stdin: str = "") -> str:
    """Run an installed helper as Docker would; show the command, its answer and its time."""
    name = f"docker-credential-{helper}"
    executable = Path(sys.argv[0]).resolve().with_name(name)
    if not executable.exists():
        raise CredentialError(
            f"{executable} does not exist", "install the helpers, too: scripts/install.sh --demo"
        )
    click.secho(f"  $ {f'printf %s {chr(39)}{stdin}{chr(39)} | ' if stdin else ''}{name} {verb}", bold=True)
    started = time.monotonic()
    done = subprocess.run(
        [executable, verb],
        input=stdin.encode(),
        env=environment,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    milliseconds = 1000 * (time.monotonic() - started)
    answer = done.stdout.decode().strip()
    if done.returncode:
        raise CredentialError(f"{name} {verb}: {answer} {done.stderr.decode().strip()}")
    click.echo(f"  {answer or '(ok)'}  [{milliseconds:.0f} ms]")
    return answer


def _expect(answer: str, expected: dict[str, str]) -> None:
    if json.loads(answer) != expected:
        raise CredentialError(f"that answer should have been {json.dumps(expected)}")


def _heading(text: str) -> None:
    click.secho(f"\n{text}", fg="cyan")

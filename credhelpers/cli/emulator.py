"""`credhelpers emulator`: a stand-in for AWS on this machine, with the faults that are asked for."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from credhelpers.cli.shared import options, output
from credhelpers.credential import CredentialError
from credhelpers.stores.ecr import identity as selection

if TYPE_CHECKING:
    from credhelpers.emulator import Emulator, Request, Response

_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
_IDENTITIES = ("instance", "keys", "ecs", "pod-identity", "web-identity")
_REPLACED = (
    *selection.SELECTING_VARIABLES,
    *selection.SECRET_VARIABLES,
    *selection.FILE_VARIABLES,
    selection.LOGIN_CACHE_VARIABLE,
)
"""What would select another identity, or another AWS."""

_EXAMPLES = f"""\b
Examples:
  credhelpers emulator > aws.env                  # in one terminal; in another one: . ./aws.env
  credhelpers emulator --fault access-denied -- credhelpers doctor {_HOST}
  printf {_HOST} | credhelpers emulator -- docker-credential-ecr-login get

\b
Exit status: 0 when a signal ends it; that of COMMAND, when there is one; 1 when the port is in
use or COMMAND cannot be started; 2 when the command line is wrong."""


def _show_faults(context: click.Context, option: click.Parameter, value: bool) -> None:
    del option
    if value:
        from credhelpers.emulator.faults import FAULTS

        for name, fault in FAULTS.items():
            start = f"{name + '=SECONDS' * fault.takes_seconds:<24}"
            output.say_styled(start, fault.text, indent=24)
        context.exit()


@click.command(
    epilog=_EXAMPLES,
    context_settings={"allow_interspersed_args": False},  # COMMAND has options of its own
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where it listens, if not any port.")
@click.option(
    "--identity",
    type=click.Choice(_IDENTITIES),
    default="instance",
    help="Where the credentials come from; by default an EC2 instance's role.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Stage a fault; repeatable.")
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_faults,
    help="List the faults.",
)
@options.json_report("Print the environment in JSON.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def emulator(
    context: click.Context,
    *,
    port: int,
    identity: str,
    faults: tuple[str, ...],
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """Serve ECR, STS, the instance metadata service and a container's credentials on loopback.

    Prints the variables that make AWS clients ask it, as lines for a shell, and runs until Ctrl-C; or runs
    COMMAND with them, and ends with it. Tokens are kept in a directory of its own. Nothing of yours is read
    or changed.
    """
    if as_json and command:
        raise click.UsageError("--json prints the environment, and COMMAND gets it: say one of them.")
    with (
        _until_signal(),
        tempfile.TemporaryDirectory(prefix="credhelpers-") as directory,
        _started(port) as aws,
    ):
        for fault in faults:
            _stage(aws, fault)
        environment = _environment(aws, identity, Path(directory))
        if command:
            context.exit(_run(command, environment))
        aws.on_answer = _show_request
        _show(environment, as_json=as_json)
        threading.Event().wait()


def _show_request(request: "Request", response: "Response") -> None:
    name = request.path if request.operation in ("imds", "unknown") else request.operation
    click.echo(f"{time.strftime('%H:%M:%S')} {request.method} {name}: {response.status}", err=True)


@contextmanager
def _until_signal() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, and both as an end without an error."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return


@contextmanager
def _started(port: int) -> Iterator["Emulator"]:
    from credhelpers.emulator import Emulator

    try:
        aws = Emulator(password=secrets.token_urlsafe(24), port=port)
    except OSError as error:
        raise CredentialError(
            f"cannot listen on port {port}: {error.strerror}",
            "name another port; without --port it takes a free one",
        ) from None
    with aws:
        yield aws


def _stage(aws: "Emulator", fault: str) -> None:
    try:
        aws.stage(fault)
    except ValueError as error:
        raise click.BadParameter(f"{error}; see --list-faults", param_hint="--fault") from None


def _environment(aws: "Emulator", identity: str, directory: Path) -> dict[str, str]:
    """Return the variables to set, with nothing of the user's own configuration left."""
    from credhelpers.emulator.identities import IDENTITIES

    own = IDENTITIES[identity](aws, aws.url, directory)
    local = ",".join(filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1")))
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ECR_CACHE_DIR": str(directory / "cache"),
        options.OFFLINE_VARIABLE: "1",  # its token is not for the real registry
        "NO_PROXY": local,
        "no_proxy": local,
        **own,
        **aws.environment(),
    }


def _show(environment: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        unset = [name for name in _REPLACED if name not in environment]
        output.report_json({"environment": environment, "unset": unset})
    else:
        click.echo(f"unset {' '.join(name for name in _REPLACED if name not in environment)}")
        for name, value in environment.items():
            click.echo(f"export {name}={quote(value)}")
        click.echo("credhelpers: the emulator runs until Ctrl-C", err=True)
    sys.stdout.flush()


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a command to its end, and return its exit status as a shell does."""
    kept = {name: value for name, value in os.environ.items() if name not in _REPLACED}
    try:
        process = subprocess.Popen(command, env={**kept, **environment})
    except OSError as error:
        raise CredentialError(
            f"cannot start {command[0]}: {error.strerror}", "check its name, and PATH"
        ) from None
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        status = process.wait()
    return 128 - status if status < 0 else status
